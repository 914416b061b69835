import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventHandlers } from '../../../jobs/wecom-event.ts'

const here = import.meta.dirname
const root = join(here, '../../..')
const sandbox = join(root, 'sandbox/wecom')
const page = readFileSync(join(root, 'docs/wecom.md'), 'utf8')
const sources = readdirSync(here).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
const API = /'((?:auth|batch|department|license|media|message|service|ticket|user)\/[\w/]+|gettoken|get_jsapi_ticket)'/g

/** Every API that the adapter names. */
const called = new Set(
  sources.flatMap((file) => {
    const text = readFileSync(join(here, file), 'utf8')
    const own = [...text.matchAll(API), ...text.matchAll(/'(externalcontact\/\w+)'/g)].map(([, api]) => api ?? '')
    return [...own, ...[...text.matchAll(/path\('(\w+)'\)/g)].map(([, name]) => `externalcontact/${name}`)]
  }),
)

/** The rows of the table below a heading, cell by cell. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [from = '', ...rest] = page
    .slice(page.indexOf(heading) + heading.length)
    .split('\n## ')[0]!
    .split('\n| ---')
  expect(rest, from).toHaveLength(1)
  return rest[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\||\|$/g, '').trim()))
}

const marked = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '')
const fileIn = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8')
/** The titles of a test file. */
const titlesIn = (text: string): string =>
  [...text.matchAll(/^\s*test(?:\.each\(.*\))?\(\s*'([^']+)'/gm)].map(([, title]) => title).join('\n')

/** A cell of tests: files, each with titles (“…”) that stand in it. */
function expectTests(cell: string, folder: string, file: RegExp): void {
  const named = [...cell.matchAll(new RegExp(`(${file.source})|“([^”]+)”`, 'g'))]
  expect(named[0]?.[1], cell).toBeDefined()
  let titles = ''
  for (const [, name, title] of named) {
    if (name !== undefined) titles = titlesIn(fileIn(folder, name))
    else expect(titles, cell).toMatch(new RegExp(`${(title ?? '').replaceAll('.', '\\.')}(?!\\d)`))
  }
}

test('the table of endpoints names every call of the adapter, and no other', () => {
  const named = rowsOf('## Endpoints').flatMap(([, call]) => /`(?:GET|POST) ([\w/]+)/.exec(call ?? '')?.[1] ?? [])
  expect(called.size).toBeGreaterThan(40)
  expect([...called].filter((api) => !named.includes(api))).toEqual([])
  expect(named.filter((api) => !called.has(api))).toEqual([])
})

test('each endpoint names a function of the adapter, a file of the sandbox and a test that are there', () => {
  const wired = fileIn(here, 'adapter.ts')
  for (const [, call, adapter = '', answers, tried = ''] of rowsOf('## Endpoints')) {
    const names = marked(adapter)
    const files = names.filter((name) => name.endsWith('.ts')).map((file) => fileIn(here, file))
    expect(files, call).toHaveLength(1)
    for (const name of names.filter((one) => !one.endsWith('.ts')))
      expect(`${files[0]}\n${wired}`, call).toMatch(new RegExp(`\\b${name}\\b`))
    const api = /`(?:GET|POST) ([\w/]+)/.exec(call ?? '')?.[1]
    const answering = marked(answers).map((file) => fileIn(sandbox, file))
    if (api !== undefined) expect(answering.join('\n'), call).toContain(api.split('/').at(-1))
    expect(marked(tried), call).toHaveLength(1)
    for (const file of marked(tried)) expect(fileIn(file.includes('/') ? root : here, file)).toContain('test(')
  }
})

test('the table of events names every event that has a handler, and no other', () => {
  const named = rowsOf('## Events').flatMap(([, event]) => marked(event))
  expect(named.sort()).toEqual([...Object.keys(eventHandlers), 'suite_ticket'].sort())
})

test('each event names what handles it, who tells it in the sandbox, and tests that are there', () => {
  const modules = join(root, 'server/modules')
  for (const [, event, handler = '', teller = '', tried = ''] of rowsOf('## Events')) {
    const [known] = marked(event)
    const first = /`(\w+)`/.exec(handler)?.[1] ?? ''
    const usual = eventHandlers[known ?? '']
    if (usual !== undefined && /^(take|note)/.test(usual.name)) expect(handler, event).toContain(usual.name)
    expect(first, event).not.toBe('')
    const [file, ...functions] = marked(teller)
    if (file?.endsWith('.ts'))
      for (const name of functions) expect(fileIn(sandbox, file), event).toContain(`function ${name}(`)
    expectTests(tried, modules, /[\w/-]+\.test\.ts/)
  }
})

test('every line of what a sandbox must reproduce (protocols wecom 11.2) names its files and its tests', () => {
  const rows = rowsOf('## What the sandbox reproduces')
  expect(rows.map(([number]) => Number(number))).toEqual(Array.from({ length: 31 }, (_, row) => row + 1))
  for (const [, , files = '', tried = ''] of rows) {
    for (const file of files.split(', ')) expect(fileIn(sandbox, file)).not.toBe('')
    expectTests(tried, sandbox, /[\w/-]+\.test\.ts/)
  }
})
