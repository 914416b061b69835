import { expect, test } from 'vitest'
import { onBothDatabases } from '../testing/databases.ts'
import { keepOnce, once, OnceConflict, readOnce, useUp } from './once.ts'
import { sql } from './sql.ts'
import { trail } from './trail.ts'

onBothDatabases('once', (database) => {
  const objectId = 'ord_0000000000000'
  const work = (key: string, input: object) =>
    database.tx((tx) =>
      once(tx, 'test', key, input, async () => {
        await trail(tx, { objectId, act: 'worked' })
        return { id: tx.newId('order') }
      }),
    )
  const times = () => database.tx((tx) => sql(tx.em, 'select id from trail where object_id = ?', [objectId]))

  test('twenty callers at once: the work is done once and all get one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => work('k', { a: 1, b: { c: 2, d: 3 } })))
    expect(new Set(answers.map((answer) => answer.id)).size).toBe(1)
    expect(await times()).toHaveLength(1)
    expect(await work('k', { b: { d: 3, c: 2 }, a: 1 })).toEqual(answers[0])
  })

  test('of twenty callers at once, and of equal keys in one call, one is told that a key was used for the first time', async () => {
    const uses = await Promise.all(
      Array.from({ length: 20 }, (_, caller) => database.tx((tx) => useUp(tx, 'test', ['a', `b${caller}`, 'a', 'c']))),
    )
    const firsts = (place: number) => uses.filter((told) => told[place] === true).length
    expect([firsts(0) + firsts(2), firsts(1), firsts(3)]).toEqual([1, 20, 1])
    expect(await database.tx((tx) => useUp(tx, 'other', ['a']))).toEqual([true])
    expect(await database.tx((tx) => useUp(tx, 'test', []))).toEqual([])
  })

  test('of many asked at once each is told by its own input, though two come under one key', async () => {
    const [first, other] = [
      { key: 'k', input: { amount: 1, ref: 'a' } },
      { key: 'k', input: { amount: 2, ref: 'a' } },
    ]
    await database.tx((tx) => keepOnce(tx, 'test', [{ ...first!, answer: { id: 7 } }]))
    const unknown = { key: 'n', input: {} }
    for (const asked of [
      [first!, other!, unknown],
      [other!, unknown, first!],
    ]) {
      const told = await database.tx((tx) => readOnce(tx, 'test', asked))
      expect(told[asked.indexOf(first!)]).toEqual({ answer: { id: 7 } })
      expect(told[asked.indexOf(other!)]).toEqual({ differsIn: 'amount' })
      expect(told[asked.indexOf(unknown)]).toBeUndefined()
    }
  })

  test('a key whose use was rolled back is free', async () => {
    const undone = database.tx(async (tx) => {
      await useUp(tx, 'test', ['k'])
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await database.tx((tx) => useUp(tx, 'test', ['k']))).toEqual([true])
    expect(await database.tx((tx) => useUp(tx, 'test', ['k']))).toEqual([false])
  })

  test('another input under the same key names the field that differs', async () => {
    await work('k', { amount: 1, to: 'x' })
    const error = await work('k', { amount: 2, to: 'x' }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(OnceConflict)
    expect((error as OnceConflict).field).toBe('amount')
  })

  test('a key as long as the header allows is kept whole', async () => {
    const [one, other] = [`${'k'.repeat(127)}1`, `${'k'.repeat(127)}2`]
    const first = await work(one, {})
    expect(await work(one, {})).toEqual(first)
    expect(await work(other, {})).not.toEqual(first)
    expect(await times()).toHaveLength(2)
  })

  test('callers who wait for one whose work fails do not block each other: each is told what is wrong', async () => {
    for (let round = 0; round < 5; round += 1) {
      const failing = () =>
        database.tx((tx) =>
          once(tx, 'test', `f${round}`, {}, async () => {
            await trail(tx, { objectId, act: 'worked' })
            throw new Error('no money')
          }),
        )
      const ends = await Promise.all(
        Array.from({ length: 4 }, () => failing().catch((error: unknown) => (error as Error).message)),
      )
      expect(ends).toEqual(ends.map(() => 'no money'))
    }
    expect(await times()).toHaveLength(0)
  })

  test('work that fails leaves the key free', async () => {
    const failing = database.tx((tx) => once(tx, 'test', 'k', {}, () => Promise.reject(new Error('no'))))
    await expect(failing).rejects.toThrow('no')
    await work('k', {})
    expect(await times()).toHaveLength(1)
  })
})
