import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const here = import.meta.dirname
const root = join(here, '../../..')
const page = readFileSync(join(root, 'docs/wechat.md'), 'utf8')
const port = readFileSync(join(here, '../wechat-port.ts'), 'utf8').split('export interface WechatPort {')[1] ?? ''
const textOf = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8')
const marked = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '')

/** The rows of the table below a heading, cell by cell. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const section = page.slice(page.indexOf(`## ${heading}`) + heading.length).split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (#|---)/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

test('the table of calls names every function of the port, each with what makes, answers and tries it', () => {
  const functions = [...port.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name ?? '')
  expect(functions).toHaveLength(7)
  const rows = rowsOf('Calls of the product')
  expect(rows.flatMap((row) => marked(row[2])).toSorted((a, b) => a.localeCompare(b))).toEqual(
    functions.toSorted((a, b) => a.localeCompare(b)),
  )
  for (const [, call, names, adapter, sandbox, tried] of rows) {
    const [source, answers, tests] = [
      textOf(here, marked(adapter)[0] ?? ''),
      textOf(root, 'sandbox/wechat', marked(sandbox)[0] ?? ''),
      textOf(here, marked(tried)[0] ?? ''),
    ]
    const path = marked(call)[0]?.replace(/^(GET|POST) /, '')
    if (path !== undefined) for (const text of [source, answers]) expect(text, call).toContain(path)
    for (const name of marked(names)) {
      expect(source, call).toMatch(new RegExp(`\\b${name}\\b`))
      expect(tests, call).toMatch(new RegExp(`\\.${name}\\(`))
    }
  }
})

test('every path that the adapter calls stands in the table', () => {
  const sources = ['identity.ts', 'tokens.ts', 'messages.ts'].map((file) => textOf(here, file)).join('\n')
  const paths = [...sources.matchAll(/api: '([\w/-]+)'/g)].map(([, path]) => path ?? '')
  expect(paths).toHaveLength(5)
  for (const path of paths)
    expect(
      rowsOf('Calls of the product')
        .map((row) => row[1])
        .join(),
    ).toContain(path)
})

test('every line of what the sandbox reproduces names its files and its tests', () => {
  const rows = rowsOf('The sandbox')
  expect(rows).toHaveLength(8)
  for (const [, what, files, tried = ''] of rows) {
    for (const file of marked(files)) expect(textOf(root, 'sandbox/wechat', file), what).not.toBe('')
    for (const part of tried.split(/; (?=`)/)) {
      const text = textOf(root, marked(part)[0] ?? '')
      const titles = [...part.matchAll(/“([^”]+)”/g)].map(([, title]) => title ?? '')
      expect(titles.length, what).toBeGreaterThan(0)
      for (const title of titles) expect(text, what).toContain(`'${title}'`)
    }
  }
})
