import { BlobType } from '@mikro-orm/core'
import { expect, test } from 'vitest'
import { sealedColumns } from '../kernel/sealed-columns.ts'
import { entities } from './orm.ts'

const columnOf = (name: string): string => name.replaceAll(/[A-Z]/g, (sign) => `_${sign.toLowerCase()}`)

test('a new key reaches every sealed column of the tables, by their primary keys, and no other', () => {
  const found = entities.flatMap(({ meta }) => {
    const properties = Object.entries(meta.properties)
    const key = properties.filter(([, { primary }]) => primary === true).map(([name]) => columnOf(name))
    const isBytes = (type: unknown): boolean => type === BlobType
    return properties
      .filter(([, { type }]) => isBytes(type))
      .map(([name]) => `${meta.tableName}.${columnOf(name)} by ${key.join(', ')}`)
  })
  const told = sealedColumns.map(({ table, column, key }) => `${table}.${column} by ${key.join(', ')}`)
  expect(told.toSorted()).toEqual(found.toSorted())
})
