import { expect, test } from 'vitest'
import { onBothDatabases } from '../testing/databases.ts'
import { insertRows, sql } from './sql.ts'

const activity = (cardId: string, seq: number, kind: string) => ({
  card_id: cardId,
  seq,
  kind,
  amount_fen: 0,
  balance_fen: 0,
  ref: 'ref',
  at_ms: 1_800_000_000_000,
})
const CARD = 'crd_0000000000001'

onBothDatabases('rows past the entity mapping', (database) => {
  const kinds = () =>
    database.tx((tx) => sql<{ kind: string }>(tx.em, 'select kind from activity order by card_id, seq'))

  test('text, bytes and nothing arrive as they were given, a thousand at a time', async () => {
    const nasty = [`'; drop table card; --`, '?', '\\', '"\n\0', '福利卡 🎁', '%s :x ?? ']
    const rows = Array.from({ length: 1000 }, (_, seq) => activity(CARD, seq, (nasty[seq % 6] ?? '').slice(0, 16)))
    await database.tx((tx) => insertRows(tx.em, 'activity', rows))
    expect((await kinds()).map((row) => row.kind)).toEqual(rows.map((row) => row.kind))
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const chunk = { roster_id: 'ros_0000000000001', seq: 0, bytes_sealed: bytes }
    await database.tx((tx) => insertRows(tx.em, 'roster_chunk', [chunk]))
    const [stored] = await database.tx((tx) =>
      sql<{ bytes: Uint8Array }>(tx.em, 'select bytes_sealed as bytes from roster_chunk'),
    )
    expect(Buffer.from(stored!.bytes)).toEqual(bytes)
    const entry = { id: 'ent_0000000000001', kind: 'x', ref: 'r', corrects_id: null, at_ms: 1 }
    await database.tx(async (tx) => {
      await insertRows(tx.em, 'entry', [entry])
      await insertRows(tx.em, 'entry', [])
      expect(await sql(tx.em, 'select corrects_id from entry')).toEqual([{ corrects_id: null }])
      await sql(tx.em, 'delete from entry')
    })
  })

  test('they belong to the transaction: a later failure takes them back', async () => {
    const failed = database.tx(async (tx) => {
      await insertRows(tx.em, 'activity', [activity(CARD, 1, 'first')])
      await insertRows(tx.em, 'activity', [activity(CARD, 1, 'again')])
    })
    await expect(failed).rejects.toMatchObject({ name: 'UniqueConstraintViolationException' })
    expect(await kinds()).toEqual([])
  })
})
