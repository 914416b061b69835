import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId } from '../../../contract/ids.ts'
import { change } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { account } from './accounts.ts'
import { credit, debit, post } from './post.ts'
import { proveLedger, readBalance } from './prove.ts'

onBothDatabases('ledger', (database) => {
  const order = encodeId('order', 7n)
  const brand = encodeId('brand', 8n)
  const paid = {
    kind: 'funds_received',
    ref: order,
    lines: [debit(account.collected('m1'), fen(500)), credit(account.orderFunds(order), fen(500))],
  }

  test('entries post and balances are sums', async () => {
    await database.tx((tx) => post(tx, [paid, { ...paid, kind: 'again' }]))
    expect(await database.tx((tx) => readBalance(tx, 'CNY', account.orderFunds(order)))).toBe(-1000)
    expect(await database.tx((tx) => readBalance(tx, 'CNY', account.collected('m1')))).toBe(1000)
    expect(await database.tx((tx) => readBalance(tx, 'VALUE', account.cards(brand)))).toBe(0)
  })

  test('an entry that does not balance in one of its units is refused whole', async () => {
    const crooked = [
      { ...paid, lines: [debit(account.collected('m1'), fen(2)), credit(account.orderFunds(order), fen(1))] },
      { ...paid, lines: [debit(account.collected('m1'), fen(1)), credit(account.cards(brand), fen(1), 'VALUE')] },
      { ...paid, lines: [] },
    ]
    for (const entry of crooked)
      await expect(database.tx((tx) => post(tx, [paid, entry]))).rejects.toThrow('does not balance')
    expect(await database.tx((tx) => readBalance(tx, 'CNY', account.collected('m1')))).toBe(0)
  })

  test('the proof names an entry whose posting was tampered with', async () => {
    const [id] = await database.tx((tx) => post(tx, [paid]))
    await database.tx((tx) =>
      change(tx.em, 'update posting set amount = amount + 1 where entry_id = ? and line = 0', [id]),
    )
    const findings = await database.tx(proveLedger)
    expect(findings).toEqual([{ rule: 'entry_sums_to_zero', subject: id, detail: 'CNY is off by 1 fen' }])
    await database.tx((tx) =>
      change(tx.em, 'update posting set amount = amount - 1 where entry_id = ? and line = 0', [id]),
    )
  })
})
