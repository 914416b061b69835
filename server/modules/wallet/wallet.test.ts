import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { placeOrder } from '../order/place-order.ts'
import { secureFunds } from '../order/secure-funds.ts'
import { createBrand } from '../catalog/create-template.ts'
import { openWallet } from './open-wallet.ts'
import { findWalletByReference, readMovements, readWallet } from './read-wallet.ts'
import { spendFromWallet } from './spend-from-wallet.ts'
import { topUpWallet } from './top-up-wallet.ts'

/** An order of one card that costs `priceFen`. */
async function anOrder(database: TestDatabase, companyId: Id<'company'>, priceFen: number): Promise<Id<'order'>> {
  return database.tx(async (tx) => {
    const brandId = await createBrand(tx, { name: '青禾', issuerPrefix: '6230' })
    const templateVersionId = await aTemplate(tx, brandId, { minFaceFen: fen(1), maxFaceFen: fen(priceFen) })
    const holderId = encodeId('person', 1n)
    const items = [{ holderId, templateVersionId, faceFen: fen(priceFen), priceFen: fen(priceFen) }]
    return placeOrder(tx, { companyId, items })
  })
}

/** As module funding does: spend, then tell the order, in one transaction. */
const pay = (database: TestDatabase, companyId: Id<'company'>, orderId: Id<'order'>, amount: number) =>
  database.tx(async (tx: Tx) => {
    const spent = await spendFromWallet(tx, { companyId, amount: fen(amount), orderId, ref: tx.newId('activity') })
    if (spent) expect(await secureFunds(tx, orderId, fen(amount))).toBe(true)
    return spent
  })

onBothDatabases('wallet', (database) => {
  test('opening again keeps the reference, and the reference finds the wallet however it is typed', async () => {
    const { id, reference } = await aCompany(database)
    expect(reference).toMatch(/^FLKW[2-9A-HJKMNP-Z]{8}$/)
    const again = await Promise.all([1, 2, 3].map(() => database.tx((tx) => openWallet(tx, id))))
    expect(new Set([...again, reference]).size).toBe(1)
    const typed = `${reference.slice(0, 6).toLowerCase()} ${reference.slice(6)} `
    expect(await database.tx((tx) => findWalletByReference(tx, typed))).toBe(id)
    expect(await database.tx((tx) => findWalletByReference(tx, 'FLKW22222222'))).toBeNull()
    expect(await database.tx((tx) => readWallet(tx, encodeId('company', 9n)))).toBeNull()
  })

  test('a top-up and a spending show in balance, movements and ledger', async () => {
    const { id } = await aCompany(database, { walletFen: 10_000 })
    const other = await aCompany(database, { walletFen: 500 })
    const orderId = await anOrder(database, id, 4_000)
    expect(await pay(database, id, orderId, 4_000)).toBe(true)
    const seen = await database.tx(async (tx) => ({
      wallet: await readWallet(tx, id),
      movements: await readMovements(tx, id, 10),
      newest: await readMovements(tx, id, 1),
      owed: await readBalance(tx, 'CNY', account.wallet(id)),
      secured: await readBalance(tx, 'CNY', account.orderFunds(orderId)),
      others: await readWallet(tx, other.id),
    }))
    expect(seen.wallet?.balanceFen).toBe(6_000)
    expect(seen.movements).toMatchObject([
      { kind: 'spent', amountFen: -4_000, balanceAfterFen: 6_000 },
      { kind: 'top_up', amountFen: 10_000, balanceAfterFen: 10_000 },
    ])
    expect(seen.newest).toHaveLength(1)
    expect([seen.owed, seen.secured, seen.others?.balanceFen]).toEqual([-6_000, -4_000, 500])
  })

  test('of 20 spendings at once exactly as many succeed as the balance covers', async () => {
    const { id } = await aCompany(database, { walletFen: 10_000 })
    const orderId = await anOrder(database, id, 100_000)
    const results = await Promise.all(Array.from({ length: 20 }, () => pay(database, id, orderId, 1_300)))
    expect(results.filter(Boolean)).toHaveLength(Math.floor(10_000 / 1_300))
    const { wallet, movements } = await database.tx(async (tx) => ({
      wallet: await readWallet(tx, id),
      movements: await readMovements(tx, id, 50),
    }))
    expect(wallet?.balanceFen).toBe(10_000 - 7 * 1_300)
    expect(movements.map((each) => each.balanceAfterFen)).toEqual([
      900, 2_200, 3_500, 4_800, 6_100, 7_400, 8_700, 10_000,
    ])
  })

  test('too little, no wallet and nothing at all leave no trace', async () => {
    const { id } = await aCompany(database, { walletFen: 999 })
    const orderId = await anOrder(database, id, 1_000)
    expect(await pay(database, id, orderId, 1_000)).toBe(false)
    expect(await pay(database, encodeId('company', 9n), orderId, 1)).toBe(false)
    await expect(pay(database, id, orderId, 0)).rejects.toThrow(RangeError)
    const nobody = encodeId('company', 9n)
    const topUp = (companyId: Id<'company'>, amount: number) =>
      database.tx((tx) => topUpWallet(tx, { companyId, amount: fen(amount), ref: tx.newId('statementLine') }))
    await expect(topUp(nobody, 5)).rejects.toThrow('has none')
    await expect(topUp(id, 0)).rejects.toThrow(RangeError)
    expect(await database.tx((tx) => readMovements(tx, id, 10))).toHaveLength(1)
  })

  test('the proof finds a balance that the ledger or the movements do not carry', async () => {
    const { id } = await aCompany(database, { walletFen: 700 })
    await database.tx((tx) => change(tx.em, 'update wallet set balance_fen = 701 where company_id = ?', [id]))
    const findings = await database.tx(proveBooks)
    expect(findings.map((each) => [each.rule, each.subject])).toEqual([
      ['wallet_balance_is_its_account', id],
      ['wallet_balance_is_its_movements', id],
    ])
    await database.tx((tx) => change(tx.em, 'update wallet set balance_fen = 700 where company_id = ?', [id]))
  })
})
