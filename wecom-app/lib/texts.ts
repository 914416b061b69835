import { createI18n } from 'vue-i18n'
import { languageTags } from './first-language.ts'
import { followLanguage, lang } from './language.ts'

type Messages = { [key: string]: string | Messages }

/**
 * The texts of an audience. `files` are the audience's `locales/<language>/<name>.json`, loaded by an eager glob; the
 * file's name is the first part of its keys, so `locales/zh-CN/home.json` holds `home.…`.
 */
export function createTexts(files: Readonly<Record<string, unknown>>) {
  const common = import.meta.glob('./locales/*/*.json', { eager: true, import: 'default' })
  const messages: Record<string, Messages> = { 'zh-CN': {}, en: {} }
  for (const [path, texts] of Object.entries({ ...common, ...files })) {
    const [, tag, name] = /\/([^/]+)\/([^/]+)\.json$/.exec(path) ?? []
    if (tag !== undefined && name !== undefined) messages[tag]![name] = texts as Messages
  }
  const i18n = createI18n({
    legacy: false,
    locale: languageTags[lang.value],
    fallbackLocale: 'zh-CN',
    messages,
    missingWarn: import.meta.env.DEV,
    fallbackWarn: import.meta.env.DEV,
  })
  followLanguage((tag) => {
    i18n.global.locale.value = tag
  })
  return i18n
}
