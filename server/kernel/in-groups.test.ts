import { expect, test } from 'vitest'
import { encodeId } from '../../contract/ids.ts'
import type { Ports } from '../channels/ports.ts'
import { onBothDatabases } from '../testing/databases.ts'
import { inGroups } from './in-groups.ts'
import { sql } from './sql.ts'
import { trail } from './trail.ts'

onBothDatabases('commands in groups', (database) => {
  test('many share a transaction, none of them acts in another’s name, and what throws fails alone', async () => {
    const sizes: number[] = []
    const objectId = encodeId('order', 1n)
    const command = inGroups(async (tx, inputs: readonly number[]) => {
      if (inputs.includes(13)) throw new Error('bad luck')
      await trail(tx, { objectId, act: 'worked' })
      sizes.push(inputs.length)
      return inputs.map((input) => input * 2)
    })
    const [companyId, personId] = [encodeId('company', 1n), encodeId('person', 1n)]
    const edge = database.edge({} as Ports, { kind: 'employee', companyId, personId })
    expect(await Promise.all([1, 2, 3].map((input) => command(edge, input)))).toEqual([2, 4, 6])
    expect(sizes).toEqual([3])
    const mixed = await Promise.allSettled([4, 13].map((input) => command(edge, input)))
    expect(mixed.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    const rows = await edge.read((tx) => sql(tx.em, 'select distinct actor from trail where object_id = ?', [objectId]))
    expect(rows).toEqual([{ actor: 'anybody' }])
  })
})
