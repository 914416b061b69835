import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { StatementEntry } from '../../../contract/statement-entry.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { sql } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { merchants, type PayHouse, type PayWorld, platformMerchant, startPayWorld } from '../../testing/paying.ts'
import { serveRefundHouse } from '../../testing/refunding.ts'
import { issueAll, payByWechat, settleAll, withMerchants } from '../../testing/settling.ts'
import { createBrand } from '../catalog/create-template.ts'
import { setTerms } from '../catalog/set-terms.ts'
import { importStatement } from '../funding/import-statement.ts'
import { openPayment } from '../funding/open-payment.ts'
import { placeOrder, type NewItem } from '../order/place-order.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { draftPayouts } from '../settlement/draft-payouts.ts'
import { exportPayouts } from '../settlement/export-payouts.ts'
import { matchPayouts } from '../settlement/move-payout.ts'
import { setPayeeAccount } from '../settlement/payee-account.ts'

const FACE = fen(50_000)
const [WALLET, BANK, WECHAT] = [fen(3_000_000), fen(4_500_000), fen(2_400_000)]
const BRAND_A = '1900000101'
const MALL = '1900000103'

/** The rows of a table of docs/ARCHITECTURE.md, by the heading above it; amounts as numbers. */
function documented(heading: string): string[][] {
  const page = readFileSync(new URL('../../../docs/ARCHITECTURE.md', import.meta.url), 'utf8')
  const after = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 2)
  const lines = after.slice(after.indexOf('|'), after.indexOf('\n\n', after.indexOf('|'))).split('\n')
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''))
      .map((cell) => (/^-?[\d,]+$/.test(cell) ? cell.replaceAll(',', '') : cell)),
  )
}

let world: PayWorld
beforeAll(async () => {
  world = await withMerchants(await startPayWorld(), [platformMerchant.mchid, MALL])
})
afterAll(() => world.sandbox.close())

onBothDatabases('the worked example of docs/ARCHITECTURE.md', (database) => {
  let house: PayHouse
  beforeEach(async () => {
    database.house = testHouse({
      wechatPay: { platform: platformMerchant, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 25 },
    })
    house = await serveRefundHouse(database, world)
    for (const mchid of [platformMerchant.mchid, MALL]) await world.ctl('money-rules', { mchid, acceptReturns: true })
  })
  afterEach(() => house.close())

  /** 200 cards of three brands; those of the first cost 490 yuan each, of which we have 3 % and a channel 1 %. */
  async function order(companyId: Id<'company'>) {
    return database.tx(async (tx) => {
      const brands: Id<'brand'>[] = []
      const items: NewItem[] = []
      for (const [index, { cards, price, platformBp }] of [
        { cards: 100, price: 49_000, platformBp: 300 },
        { cards: 60, price: 50_000, platformBp: 200 },
        { cards: 40, price: 50_000, platformBp: 0 },
      ].entries()) {
        const wechatPay = index === 0 ? merchants[0] : null
        const brandId = await createBrand(tx, { name: '青禾优选', issuerPrefix: `623${index}`, wechatPay })
        const channels = index === 0 ? [{ code: 'mall', name: '商城', mchid: MALL, bp: 100 }] : []
        const rest = { collector: 'brand', maxRatioBp: 3_000, holdMs: 0, walletCredit: false } as const
        await setTerms(tx, { brandId, platformBp, channels, ...rest })
        const templateVersionId = await aTemplate(tx, brandId)
        brands.push(brandId)
        for (let card = 0; card < cards; card += 1) {
          const holderId = encodeId('person', BigInt(items.length))
          items.push({ holderId, templateVersionId, faceFen: FACE, priceFen: fen(price) })
        }
      }
      return { brands, orderId: await placeOrder(tx, { companyId, items }) }
    })
  }

  async function statement(serial: string, lines: readonly Omit<StatementEntry, 'row' | 'serial' | 'arrivedAtMs'>[]) {
    const entries = lines.map((line, index) => {
      return { row: index + 2, serial: `${serial}${index}`, arrivedAtMs: Date.now(), ...line }
    })
    const read = { entries, faults: [], refusal: null }
    await importStatement(house.edge(), { fileName: 'a.csv', bytes: Buffer.from(serial), read }, 'zh')
  }

  /** Everything that is drafted goes to the bank and stands on its statement. */
  async function payOut() {
    await draftPayouts(house.edge())
    const payouts = await database.tx((tx) =>
      sql<{ id: string; payee: string; amount: unknown }>(tx.em, 'select id, payee, amount_fen as amount from payout'),
    )
    await database.tx(async (tx) => {
      for (const { payee } of payouts)
        await setPayeeAccount(tx, payee, { holder: '收款方', number: payee, bank: '银行' })
      await exportPayouts(tx)
    })
    const other = { payerName: '收款方', payerAccount: '' }
    const line = (payout: (typeof payouts)[number]) => {
      const moved = { direction: 'out' as const, amountFen: fen(Number(payout.amount)) }
      return { ...moved, ...other, memo: payout.id.slice(4) }
    }
    await statement('OUT', payouts.map(line))
    await matchPayouts(house.edge())
    await settleAll(house, world, handlers)
  }

  /** A wallet, a transfer and WeChat Pay become cards of three brands; their money is settled, ten cards go back. */
  async function walk(): Promise<Record<string, string>> {
    const company = await aCompany(database, { walletFen: WALLET })
    const { brands, orderId } = await order(company.id)
    const [a, b, c] = brands
    const hr = house.edge(company.as('hr'))
    await payByWechat(house, world, company, { orderId, brandId: a!, amountFen: WECHAT })
    await openPayment(hr, { orderId, source: 'wallet', amountFen: WALLET }, 'a')
    const transfer = await openPayment(hr, { orderId, source: 'bank_transfer', amountFen: BANK }, 'b')
    const [facts] = await database.tx((tx) =>
      sql<{ reference: string }>(tx.em, 'select reference from payment where id = ?', [transfer]),
    )
    const payer = { direction: 'in' as const, payerName: '青禾科技', payerAccount: '6222', memo: facts!.reference }
    await statement('IN', [{ amountFen: BANK, ...payer }])
    await issueAll(house, orderId)
    await settleAll(house, world, handlers)
    const cards = await database.tx((tx) =>
      sql<{ id: Id<'card'> }>(tx.em, 'select id from card where brand_id = ? order by id limit 10', [a]),
    )
    const cardIds = cards.map((card) => card.id)
    const refundId = await hr.tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    await settleAll(house, world, handlers)
    await payOut()
    const names: readonly (readonly [string, string])[] = [
      [company.id, 'company'],
      [orderId, 'order'],
      [refundId, 'refund'],
      [a!, 'a'],
      [b!, 'b'],
      [c!, 'c'],
      [`${a!}.mall`, 'a.mall'],
      [BRAND_A, 'merchant-a'],
      [platformMerchant.mchid, 'ours'],
    ]
    return Object.fromEntries(names)
  }

  test('its entries and closing balances are what the house posts', async () => {
    const names = await walk()
    const plain = (account: string): string => account.replace(/[^:]+$/, (part) => names[part] ?? part)
    const lines = await database.tx((tx) =>
      sql<{ kind: string; unit: string; account: string; amount: unknown }>(
        tx.em,
        'select entry.kind, posting.unit, posting.account, posting.amount from posting join entry on entry.id = posting.entry_id order by entry.id, posting.line',
      ),
    )
    const posted = lines.map(({ kind, unit, account, amount }) => {
      const fens = Number(amount)
      return [kind, unit, plain(account), fens > 0 ? String(fens) : '', fens < 0 ? String(-fens) : '']
    })
    const shown = documented('### A worked example').map(([, kind, ...rest]) => [kind, ...rest])
    // Which of two payments comes first is not the example's matter.
    expect(posted.map((line) => line.join(' ')).sort()).toEqual(shown.map((line) => line.join(' ')).sort())
    const balances = new Map<string, number>()
    for (const { unit, account, amount } of lines) {
      const key = `${unit} ${plain(account)}`
      balances.set(key, (balances.get(key) ?? 0) + Number(amount))
    }
    const closing = documented('### What the accounts say afterwards').map(([unit, account, balance]) => [
      `${unit} ${account}`,
      Number(balance),
    ])
    expect(Object.fromEntries(closing)).toEqual(Object.fromEntries(balances))
  })
})
