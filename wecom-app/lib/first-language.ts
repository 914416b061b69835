import type { Lang } from '../../contract/error-codes.ts'

const cookie = /(?:^|;\s*)lang=(zh|en)(?:;|$)/
/** The languages as pages and files name them. */
export const languageTags: Readonly<Record<Lang, string>> = { zh: 'zh-CN', en: 'en' }

/** The language that a page begins in: the one that was chosen before, else the browser's. */
export function firstLanguage(): Lang {
  const kept = cookie.exec(document.cookie)?.[1]
  if (kept === 'zh' || kept === 'en') return kept
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}
