import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handlers } from '../jobs/handlers.ts'
import { daily, hourly } from '../jobs/schedule.ts'

const root = join(import.meta.dirname, '..')
const pages = ['README.md', 'README.zh-CN.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]

/** Files of ours that a page names: in backticks, with a folder and an ending, no pattern and no placeholder. */
function namedIn(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  const quoted = [...text.matchAll(/`([\w@./-]+\/[\w.-]+\.(?:ts|vue|sql|json|md|cjs))`/g)].map((match) => match[1]!)
  return [...new Set(quoted)].filter((path) => !path.startsWith('/') && !path.startsWith('data/'))
}

test('the map names files', () => expect(namedIn('docs/ARCHITECTURE.md').length).toBeGreaterThan(20))

test.each(pages.filter((page) => page.endsWith('.md')))('each file that %s names is there', (page) => {
  const places = ['', 'docs', 'server', 'server/modules']
  const missing = namedIn(page).filter((path) => !places.some((place) => existsSync(join(root, place, path))))
  expect(missing).toEqual([])
})

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

test('the map names every kind of job, and the operator reads what runs by the clock and when', () => {
  const map = textOf('docs/ARCHITECTURE.md')
  expect(Object.keys(handlers).filter((kind) => !map.includes(`\`${kind}\``))).toEqual([])
  const clock = textOf('docs/OPERATIONS.md')
  for (const { kind, at } of daily) {
    const [minute = '', hour = ''] = at.split(' ')
    expect(clock).toMatch(new RegExp(`\\| ${hour.padStart(2, '0')}:${minute.padStart(2, '0')} +\\| \`${kind}\``))
  }
  for (const { kind } of hourly) expect(clock).toContain(`\`${kind}\``)
})

test('every job that is said to erase what is kept of people is there, and runs nightly where it says so', () => {
  const page = textOf('docs/RETENTION.md')
  const nightly = [...page.matchAll(/nightly, `([\w.-]+)`/g)].map(([, kind]) => kind)
  expect(nightly.length).toBeGreaterThan(5)
  const names: readonly string[] = daily.map(({ kind }) => kind)
  expect(nightly.filter((kind) => !names.includes(kind ?? ''))).toEqual([])
  const jobs = [...page.matchAll(/`([a-z-]+\.(?:erase|forget))`/g)].map(([, kind]) => kind ?? '')
  expect(jobs.filter((kind) => !(kind in handlers))).toEqual([])
})

test('the table of the environment names every variable, and no other', () => {
  const named = (text: string) => [...new Set(text.match(/\bFULIKA_[A-Z_]*[A-Z]\b/g))].sort()
  const table = textOf('docs/OPERATIONS.md').split('## Environment')[1]!.split('\n## ')[0]!
  expect(named(table)).toEqual(named(textOf('server/config.ts')))
})

test.each(readdirSync(join(root, 'docs/decisions')))('decision %s names what holds it', (page) => {
  expect(textOf(`docs/decisions/${page}`)).toMatch(/^(\*\*Held by\*\*|## What enforces it)/m)
})
