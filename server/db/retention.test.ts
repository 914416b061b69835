import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BlobType } from '@mikro-orm/core'
import { expect, test } from 'vitest'
import { entities } from './orm.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/RETENTION.md'), 'utf8')
const listed = [...page.matchAll(/^\| `(\w+\.\w+)` +\| (sealed|fingerprint) +\| ([^|]+)\| ([^|]+)\| ([^|]+)\|$/gm)].map(
  ([, column = '', form = '', ...facts]) => ({ column, form, facts: facts.map((fact) => fact.trim()) }),
)

const isBytes = (type: unknown): boolean => type === BlobType

/** Columns by what the tables of the code say of them: bytes are sealed, and an index of a value is its fingerprint. */
const found = entities.flatMap(({ meta }) =>
  Object.entries(meta.properties).flatMap(([name, { type }]) => {
    const column = `${meta.tableName}.${name.replaceAll(/[A-Z]/g, (sign) => `_${sign.toLowerCase()}`)}`
    if (isBytes(type)) return [{ column, form: 'sealed' }]
    return name.endsWith('Index') ? [{ column, form: 'fingerprint' }] : []
  }),
)
const sorted = (rows: readonly { column: string; form: string }[]): string[] =>
  rows.map(({ column, form }) => `${column} ${form}`).sort((a, b) => (a < b ? -1 : 1))

test('docs/RETENTION.md names every sealed column and every fingerprint, and no other', () => {
  expect(found.length).toBeGreaterThan(25)
  expect(sorted(listed)).toEqual(sorted(found))
})

test('each is told with its purpose, its term and how it is erased', () => {
  for (const { column, facts } of listed) for (const fact of facts) expect(fact, column).not.toBe('')
})

test('a column whose name says that it is sealed holds bytes, and bytes stand under no other name', () => {
  const names = entities.flatMap(({ meta }) =>
    Object.entries(meta.properties).map(([name, { type }]) => [
      `${meta.tableName}.${name}`,
      /sealed$/i.test(name),
      type,
    ]),
  )
  for (const [name, says, type] of names) expect(says, String(name)).toBe(isBytes(type))
})
