import { computed, ref } from 'vue'
import type { Lang } from '../../contract/error-codes.ts'
import { firstLanguage, languageTags } from './first-language.ts'

/** The language of the page. Written by `chooseLanguage` only. */
const chosen = ref<Lang>(firstLanguage())
export const lang = computed(() => chosen.value)

/** Whoever has the texts of a page is told of each language that is chosen. */
export function followLanguage(use: (tag: string) => void): void {
  document.documentElement.lang = languageTags[chosen.value]
  useLocale = use
}

let useLocale: (tag: string) => void = () => undefined

/** Changes the language of the page and of the server's answers, and keeps it for a year. */
export function chooseLanguage(next: Lang): void {
  document.cookie = `lang=${next}; path=/; max-age=31536000; samesite=lax`
  chosen.value = next
  document.documentElement.lang = languageTags[next]
  useLocale(languageTags[next])
}
