import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { createI18n } from 'vue-i18n'

type Texts = { readonly [key: string]: string | Texts }
const leaves = (texts: Texts): string[] =>
  Object.values(texts).flatMap((one) => (typeof one === 'string' ? [one] : leaves(one)))

let sayText: typeof import('./own-texts.ts').sayText
beforeAll(async () => {
  vi.stubGlobal('document', { cookie: '', documentElement: { lang: '' } })
  vi.stubGlobal('navigator', { language: 'zh-CN' })
  sayText = (await import('./own-texts.ts')).sayText
})

const files = globSync('{employee,store,lib}/locales/*/*.json', { cwd: join(import.meta.dirname, '..') })

test.each(files)('%s says what it would with vue-i18n', (file) => {
  const texts = leaves(JSON.parse(readFileSync(join(import.meta.dirname, '..', file), 'utf8')) as Texts)
  const messages = { en: Object.fromEntries(texts.map((text, index) => [`t${index}`, text])) }
  const { t } = createI18n({ legacy: false, locale: 'en', messages }).global
  for (const [index, text] of texts.entries()) {
    const names = Object.fromEntries([...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, `<${name}>`]))
    for (const many of [1, 2, 7]) expect(sayText(text, names, many)).toBe(t(`t${index}`, { ...names }, many))
  }
})
