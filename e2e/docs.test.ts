import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

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
