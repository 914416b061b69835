import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const library = join(root, '../node_modules/tdesign-mobile-vue/es/style/index.css')
const textOf = (path: string): string => readFileSync(path, 'utf8')

/** What tokens are in the light theme, with those that stand for others followed to the end. */
function tokensOf(css: string): Map<string, string> {
  const raw = new Map<string, string>()
  for (const [, selector = '', body = ''] of css.matchAll(/([^{}]*)\{([^{}]*)\}/g)) {
    if (selector.includes('dark')) continue
    for (const [, name = '', value = ''] of body.matchAll(/(--td-[\w-]+):\s*([^;]+);/g)) raw.set(name, value.trim())
  }
  const follow = (value: string): string =>
    value.replace(/var\((--td-[\w-]+)\)/g, (_whole, name: string) => follow(raw.get(name) ?? ''))
  return new Map([...raw].map(([name, value]) => [name, follow(value).toLowerCase()]))
}

const ours = tokensOf(textOf(join(root, 'lib/phone-tokens.css')))

test('the tokens of a phone are the component library’s', () => {
  const theirs = tokensOf(textOf(library))
  expect(ours.size).toBeGreaterThan(15)
  expect([...ours].filter(([name, value]) => theirs.get(name) !== value)).toEqual([])
})

test('every token that a page of the pack or of the shop names is there', () => {
  const shared = ['base.css', 'phone.css', 'PageState.vue', 'LanguageSwitch.vue', 'Cover.vue', 'AskSheet.vue'].map(
    (name) => `lib/${name}`,
  )
  const files = [...globSync('{employee,store}/**/*.{vue,css}', { cwd: root }), ...shared]
  const missing = files.flatMap((file) =>
    [...textOf(join(root, file)).matchAll(/var\((--td-[\w-]+)\)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !ours.has(name))
      .map((name) => `${file}: ${name}`),
  )
  expect(missing).toEqual([])
})
