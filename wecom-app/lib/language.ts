import { computed, ref } from 'vue'
import { createI18n } from 'vue-i18n'
import type { Lang } from '../../contract/error-codes.ts'

type Messages = { [key: string]: string | Messages }

const cookie = /(?:^|;\s*)lang=(zh|en)(?:;|$)/
const tags: Readonly<Record<Lang, string>> = { zh: 'zh-CN', en: 'en' }

/** The language of the page. Written by `chooseLanguage` only. */
const chosen = ref<Lang>(firstLanguage())
export const lang = computed(() => chosen.value)

function firstLanguage(): Lang {
  const kept = cookie.exec(document.cookie)?.[1]
  if (kept === 'zh' || kept === 'en') return kept
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

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
    locale: tags[chosen.value],
    fallbackLocale: 'zh-CN',
    messages,
    missingWarn: import.meta.env.DEV,
    fallbackWarn: import.meta.env.DEV,
  })
  document.documentElement.lang = tags[chosen.value]
  useLocale = (next) => {
    i18n.global.locale.value = tags[next]
  }
  return i18n
}

let useLocale: (lang: Lang) => void = () => undefined

/** Changes the language of the page and of the server's answers, and keeps it for a year. */
export function chooseLanguage(next: Lang): void {
  document.cookie = `lang=${next}; path=/; max-age=31536000; samesite=lax`
  chosen.value = next
  document.documentElement.lang = tags[next]
  useLocale(next)
}
