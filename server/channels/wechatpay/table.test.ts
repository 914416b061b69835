import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const here = import.meta.dirname
const page = readFileSync(join(here, '../../../docs/wechatpay.md'), 'utf8').split('## Calls of the product')[1] ?? ''
const port = readFileSync(join(here, '../wechatpay-port.ts'), 'utf8').split('export interface WechatPayPort {')[1] ?? ''
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| #') && !line.startsWith('| ---'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
const marked = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '')

test('the table of calls names every function of the port, each with a file that makes it and a test that uses it', () => {
  const functions = [...port.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name ?? '')
  expect(functions.length).toBeGreaterThan(25)
  expect(rows.flatMap((row) => marked(row[3])).sort()).toEqual([...functions].sort())
  for (const row of rows) {
    const [names, [file = ''], [tests = '']] = [marked(row[3]), marked(row[4]), marked(row[5])]
    const [source, tried] = [join(here, file), join(here, tests)].map((path) =>
      existsSync(path) ? readFileSync(path, 'utf8') : '',
    )
    for (const name of names) {
      expect(source, file).toMatch(new RegExp(`\\b${name}\\b`))
      expect(tried, `${tests} ${name}`).toMatch(new RegExp(`\\.${name}\\(`))
    }
    expect([row[1], source === '', tried === '']).toEqual([row[1], false, false])
  }
})

test('every path that the adapter calls stands in the table', () => {
  const files = [...new Set(rows.flatMap((row) => marked(row[4])))]
  const paths = new Set(
    files.flatMap((file) =>
      [...readFileSync(join(here, file), 'utf8').matchAll(/[`'](\/v3\/[a-z-]+(?:\/[a-z-]+)*)/g)].map(
        ([, path]) => path ?? '',
      ),
    ),
  )
  expect(paths.size).toBeGreaterThan(8)
  for (const path of paths) expect(page).toContain(path.split('/').slice(0, 4).join('/'))
})
