import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handlers } from '../../jobs/handlers.ts'

const root = join(import.meta.dirname, '..')
const audiences = ['hr', 'employee', 'operator', 'merchant', 'store', 'lib'] as const
type Texts = { readonly [key: string]: string | Texts }

/** The keys of one area in one language, as pages write them. */
function keysOf(audience: string, language: string, file: string): string[] {
  const texts = JSON.parse(readFileSync(join(root, audience, 'locales', language, file), 'utf8')) as Texts
  const flat = (part: Texts, before: string): string[] =>
    Object.entries(part).flatMap(([key, value]) =>
      typeof value === 'string' ? [`${before}.${key}`] : flat(value, `${before}.${key}`),
    )
  return flat(texts, file.replace('.json', ''))
}

const areas = audiences.flatMap((audience) =>
  readdirSync(join(root, audience, 'locales', 'zh-CN')).map((file) => ({ audience, file })),
)
/** The text of all pages of an audience; texts in `lib` serve every audience. */
function sourceOf(audience: string): string {
  const folders = audience === 'lib' ? audiences : [audience, 'hr', 'lib']
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => [folder, name]),
    )
    .filter(([, name]) => /\.(ts|vue)$/.test(name ?? '') && !name?.endsWith('.test.ts'))
    .map(([folder, name]) => readFileSync(join(root, folder ?? '', name ?? ''), 'utf8'))
    .join('\n')
}

test.each(areas)('every text of $audience/$file stands in both languages', ({ audience, file }) => {
  expect(keysOf(audience, 'en', file).sort()).toEqual(keysOf(audience, 'zh-CN', file).sort())
})

test.each(areas)('every text of $audience/$file is shown somewhere', ({ audience, file }) => {
  const source = sourceOf(audience)
  const begun = [...source.matchAll(/[`'"]([a-z][\w-]*\.[\w.-]*)\$\{/gi)].map(([, begin]) => begin ?? '')
  const shown = (key: string): boolean =>
    [`'${key}'`, `"${key}"`, `\`${key}\``].some((whole) => source.includes(whole)) ||
    begun.some((begin) => key.startsWith(begin))
  expect(keysOf(audience, 'zh-CN', file).filter((key) => !shown(key))).toEqual([])
})

test('the platform console has a word for every kind of job', () => {
  const named = keysOf('operator', 'zh-CN', 'jobs.json').filter((key) => key.startsWith('jobs.kinds.'))
  expect(named.sort()).toEqual(
    Object.keys(handlers)
      .map((kind) => `jobs.kinds.${kind}`)
      .sort(),
  )
})
