import { UniqueConstraintViolationException, type EntityManager } from '@mikro-orm/core'
import { expect, test } from 'vitest'
import { onBothDatabases } from '../testing/databases.ts'
import { change, insertIgnore, insertRows, sendTogether, sql, updateRows } from './sql.ts'
import { moveMany } from './move.ts'

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

  test('what a piece of work inserts arrives at its end, in its order, and before anything that names it', async () => {
    const entry = (at: number) => ({
      id: `ent_000000000000${at}`,
      kind: 'x',
      ref: "r'; --",
      corrects_id: null,
      at_ms: at,
    })
    const counted = async (em: EntityManager): Promise<number[]> => [
      (await sql(em, 'select id from entry')).length,
      (await sql(em, 'select seq from activity')).length,
    ]
    const seen = await database.tx(async (tx) => {
      const inside = await sendTogether(tx.em, async () => {
        await insertRows(tx.em, 'entry', [entry(1), entry(2)])
        await insertIgnore(tx.em, 'entry', [entry(2), entry(3)])
        await insertRows(tx.em, 'activity', [activity(CARD, 1, 'issued')])
        return counted(tx.em)
      })
      await sendTogether(tx.em, async () => {
        await insertRows(tx.em, 'activity', [activity(CARD, 2, 'issued')])
        await insertRows(tx.em, 'entry', [entry(4)])
      })
      return [...inside, ...(await counted(tx.em))]
    })
    expect(seen).toEqual([3, 1, 4, 2])
    // One key that is taken undoes all of it, and the work's own error leaves nothing that would be sent later.
    const twice = database.tx((tx) =>
      sendTogether(tx.em, async () => {
        await insertRows(tx.em, 'activity', [activity(CARD, 3, 'issued')])
        await insertRows(tx.em, 'entry', [entry(4)])
      }),
    )
    await expect(twice).rejects.toBeInstanceOf(UniqueConstraintViolationException)
    await database.tx(async (tx) => {
      const fails = sendTogether(tx.em, async () => {
        await insertRows(tx.em, 'entry', [entry(5)])
        throw new Error('no more')
      })
      await expect(fails).rejects.toThrow('no more')
    })
    expect(await database.tx((tx) => counted(tx.em))).toEqual([database.dialect === 'mysql' ? 4 : 5, 2])
    await database.tx((tx) => change(tx.em, 'delete from entry'))
  })

  test('many rows are changed by one statement, each to its own values, where the condition holds', async () => {
    const id = (at: number) => `ent_000000000000${at}`
    const nasty = ['x', `'; drop table entry; --`, '福利卡 🎁 ? \\ " longer than the first one']
    await database.tx(async (tx) => {
      const rows = [0, 1, 2, 3].map((at) => ({
        id: id(at),
        kind: at === 3 ? 'b' : 'a',
        ref: 'r',
        corrects_id: null,
        at_ms: at,
      }))
      await insertRows(tx.em, 'entry', rows)
      const wanted = [0, 1, 2, 3, 9].map((at) => ({
        id: id(at),
        ref: nasty[at % 3]!,
        corrects_id: at === 1 ? 'ent_x' : null,
        more: 6_000_000_000,
      }))
      const what = {
        set: 'ref = new_ref, corrects_id = new_corrects_id, at_ms = at_ms + new_more',
        where: "kind = 'a'",
      }
      expect(await updateRows(tx.em, 'entry', wanted, what)).toBe(3)
      expect(await updateRows(tx.em, 'entry', [], what)).toBe(0)
      const found = await sql<object>(tx.em, 'select ref, corrects_id as corrects, at_ms as at from entry order by id')
      expect(found).toEqual([
        { ref: nasty[0], corrects: null, at: 6_000_000_000 },
        { ref: nasty[1], corrects: 'ent_x', at: 6_000_000_001 },
        { ref: nasty[2], corrects: null, at: 6_000_000_002 },
        { ref: 'r', corrects: null, at: 3 },
      ])
      await sql(tx.em, 'delete from entry')
    })
  })

  test('a step of many objects is all or nothing, and of the moves there are', async () => {
    const rows = ['a', 'b', 'c'].map((name) => ({
      id: `cam_000000000000${name}`,
      state: name === 'c' ? 'other' : 'draft',
    }))
    const all = { table: 'thing', from: 'draft', to: 'sent', moves: { draft: ['sent'], sent: [], other: [] } }
    const states = () => database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from thing order by id'))
    const steps = (some: typeof rows) => some.map(({ id }, at) => ({ id, set: { size: at + 1 }, note: `n${at}` }))
    await database.tx((tx) =>
      sql(tx.em, 'create table thing (id char(17) not null primary key, state varchar(8), version int, size int)'),
    )
    await database.tx((tx) =>
      insertRows(
        tx.em,
        'thing',
        rows.map((row) => ({ ...row, version: 1, size: 0 })),
      ),
    )
    await expect(database.tx((tx) => moveMany(tx, { ...all, steps: steps(rows) }))).rejects.toThrow('2 of 3 moved')
    expect((await states()).map((row) => row.state)).toEqual(['draft', 'draft', 'other'])
    await expect(
      database.tx((tx) => moveMany(tx, { ...all, from: 'sent', to: 'draft', steps: steps(rows) })),
    ).rejects.toThrow('no move')
    await database.tx((tx) => moveMany(tx, { ...all, steps: steps(rows.slice(0, 2)) }))
    const moved = await database.tx((tx) =>
      sql<object>(tx.em, "select state, version, size from thing where state = 'sent' order by id"),
    )
    expect(moved).toEqual([
      { state: 'sent', version: 2, size: 1 },
      { state: 'sent', version: 2, size: 2 },
    ])
    const told = await database.tx((tx) =>
      sql<object>(tx.em, "select act, from_state as was, note from trail where act = 'thing.sent' order by id"),
    )
    expect(told).toEqual([
      { act: 'thing.sent', was: 'draft', note: 'n0' },
      { act: 'thing.sent', was: 'draft', note: 'n1' },
    ])
    await database.tx((tx) => sql(tx.em, 'drop table thing'))
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
