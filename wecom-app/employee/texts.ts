import { ref, shallowRef, triggerRef } from 'vue'
import { languageTags } from '../lib/first-language.ts'
import { followLanguage, lang } from '../lib/language.ts'

/**
 * The texts of the pack. It stands in for vue-i18n there (pack/vite.config.ts): of that it needs names in braces and
 * `one | many`, and a fifth of the first view was the rest (page budget, D8). `texts.test.ts` holds both to the same answers.
 */
type Texts = { readonly [key: string]: string | Texts }
type Names = Readonly<Record<string, string | number>>

/** What the first view says comes with the program, in both languages; the texts of another page come with that page, in one. */
const first = import.meta.glob<Texts>(['./locales/*/pack.json', '../lib/locales/*/common.json'], {
  eager: true,
  import: 'default',
})
const others = import.meta.glob<Texts>(['./locales/*/*.json', '!./locales/*/pack.json'], { import: 'default' })

const firstTexts = (tag: string): Record<string, Texts> => ({
  common: first[`../lib/locales/${tag}/common.json`] ?? {},
  pack: first[`./locales/${tag}/pack.json`] ?? {},
})
const texts = shallowRef<Record<string, Record<string, Texts>>>({
  'zh-CN': firstTexts('zh-CN'),
  en: firstTexts('en'),
})
const shownTag = ref(languageTags[lang.value])
const areasHere = new Set<string>()

/** Brings the texts of areas (files of `locales`), unless they are here. */
export async function needTexts(areas: readonly string[]): Promise<void> {
  await bring(
    shownTag.value,
    areas.filter((area) => !areasHere.has(area)),
  )
  for (const area of areas) areasHere.add(area)
}

async function bring(tag: string, areas: readonly string[]): Promise<void> {
  const read = areas.map(async (area) => [area, (await others[`./locales/${tag}/${area}.json`]?.()) ?? {}] as const)
  Object.assign(texts.value[tag] ?? {}, Object.fromEntries(await Promise.all(read)))
  triggerRef(texts)
}

followLanguage((tag) => {
  void bring(tag, [...areasHere]).then(() => (shownTag.value = tag))
})

function find(key: string): string | null {
  let at: string | Texts | undefined = texts.value[shownTag.value]
  for (const part of key.split('.')) at = typeof at === 'object' ? at[part] : undefined
  return typeof at === 'string' ? at : null
}

/** Chooses the form for a count: the first of two is for one alone. */
export function sayText(text: string, names: Names = {}, many = 1): string {
  const forms = text.split(' | ')
  const form = forms.length === 1 || many === 1 ? forms[0] : forms[1]
  return (form ?? text).replace(/\{(\w+)\}/g, (_whole, name: string) => String(names[name] ?? ''))
}

const t = (key: string, names?: Names, many?: number): string => {
  const text = find(key)
  return text === null ? key : sayText(text, names, many)
}
const te = (key: string): boolean => find(key) !== null

/** As vue-i18n's. */
export const useI18n = () => ({ t, te })
