import { ownTexts, type Texts } from '../lib/own-texts.ts'

const texts = ownTexts(
  import.meta.glob<Texts>(['./locales/*/pack.json', '../lib/locales/*/common.json'], {
    eager: true,
    import: 'default',
  }),
  import.meta.glob<Texts>(['./locales/*/*.json', '!./locales/*/pack.json'], { import: 'default' }),
)
/** Brings the texts of a page, which come with it. */
export const { needTexts } = texts
/** As vue-i18n's, which it stands in for (phone-build.ts). */
export const useI18n = () => texts
