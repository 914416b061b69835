import { ref, shallowRef, triggerRef } from 'vue'
import { languageTags } from './first-language.ts'
import { followLanguage, lang } from './language.ts'

/**
 * The texts of a phone's pages. It stands in for vue-i18n there (phone-build.ts): of that they need names in braces and
 * `one | many`, and a fifth of the first view was the rest (page budget, D8). `own-texts.test.ts` holds both to the same answers.
 */
export type Texts = { readonly [key: string]: string | Texts }
type Names = Readonly<Record<string, string | number>>

export interface OwnTexts {
  /** Brings the texts of areas (files of `locales`), unless they are here. */
  readonly needTexts: (areas: readonly string[]) => Promise<void>
  readonly t: (key: string, names?: Names, many?: number) => string
  readonly te: (key: string) => boolean
}

/**
 * What the first view says comes with the program, in both languages (`first`); the texts of another page come with that page,
 * in one (`others`). Both by their paths, `…/<language>/<area>.json`.
 */
export function ownTexts(
  first: Readonly<Record<string, Texts>>,
  others: Readonly<Record<string, () => Promise<Texts>>>,
): OwnTexts {
  const texts = shallowRef<Record<string, Record<string, Texts>>>({ 'zh-CN': {}, en: {} })
  for (const [path, file] of Object.entries(first)) {
    const { tag, area } = partsOf(path)
    texts.value[tag]![area] = file
  }
  const files = new Map(Object.entries(others).map(([path, read]) => [keyOf(partsOf(path)), read]))
  const shownTag = ref(languageTags[lang.value])
  const areasHere = new Set<string>()

  async function bring(tag: string, areas: readonly string[]): Promise<void> {
    const read = areas.map(async (area) => [area, (await files.get(keyOf({ tag, area }))?.()) ?? {}] as const)
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
  return {
    needTexts: async (areas) => {
      await bring(
        shownTag.value,
        areas.filter((area) => !areasHere.has(area)),
      )
      for (const area of areas) areasHere.add(area)
    },
    t: (key, names, many) => {
      const text = find(key)
      return text === null ? key : sayText(text, names, many)
    },
    te: (key) => find(key) !== null,
  }
}

interface Parts {
  readonly tag: string
  readonly area: string
}
const keyOf = ({ tag, area }: Parts): string => `${tag}/${area}`
function partsOf(path: string): Parts {
  const [, tag = '', area = ''] = /\/([^/]+)\/([^/]+)\.json$/.exec(path) ?? []
  return { tag, area }
}

/** Chooses the form for a count: the first of two is for one alone. */
export function sayText(text: string, names: Names = {}, many = 1): string {
  const forms = text.split(' | ')
  const form = forms.length === 1 || many === 1 ? forms[0] : forms[1]
  return (form ?? text).replace(/\{(\w+)\}/g, (_whole, name: string) => String(names[name] ?? ''))
}
