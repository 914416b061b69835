import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId } from '../../../contract/ids.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import { sql } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { createBrand } from '../catalog/create-template.ts'
import { fundingEndpoints } from '../funding/endpoints.ts'
import { importStatement } from '../funding/import-statement.ts'
import { openPayment } from '../funding/open-payment.ts'
import { watchPayment } from '../funding/watch-payment.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { placeOrder } from '../order/place-order.ts'

const HEADS = 200
const FACE = fen(50_000)
const [WALLET, BANK, WECHAT] = [fen(3_000_000), fen(4_500_000), fen(2_500_000)]

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
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('the worked example of docs/ARCHITECTURE.md', (database) => {
  let house: PayHouse
  beforeEach(async () => {
    house = await servePayHouse(database, world, fundingEndpoints({ readStatement: readBankStatement }))
  })
  afterEach(() => house.close())

  /** The walk's money: a wallet that was topped up, a transfer and a WeChat payment become 200 cards of one brand. */
  async function walk() {
    const company = await aCompany(database, { walletFen: WALLET })
    const { brandId, orderId } = await database.tx(async (tx) => {
      const id = await createBrand(tx, { name: '青禾优选', issuerPrefix: '6230', wechatPay: merchants[0] })
      const templateVersionId = await aTemplate(tx, id)
      const items = Array.from({ length: HEADS }, (_, index) => {
        return { holderId: encodeId('person', BigInt(index)), templateVersionId, faceFen: FACE, priceFen: FACE }
      })
      return { brandId: id, orderId: await placeOrder(tx, { companyId: company.id, items }) }
    })
    const hr = house.edge(company.as('hr'))
    await openPayment(hr, { orderId, source: 'wallet', amountFen: WALLET }, 'a')
    const transfer = await openPayment(hr, { orderId, source: 'bank_transfer', amountFen: BANK }, 'b')
    const scan = await openPayment(hr, { orderId, source: 'wechat_pay', amountFen: WECHAT }, 'c')
    const [facts] = await database.tx((tx) =>
      sql<{ reference: string }>(tx.em, 'select reference from payment where id = ?', [transfer]),
    )
    const payer = { payerName: '青禾科技', payerAccount: '6222', memo: facts!.reference }
    const entry = { row: 2, serial: 'S1', amountFen: BANK, arrivedAtMs: Date.now(), ...payer }
    const read = { entries: [entry], faults: [], refusal: null }
    await importStatement(house.edge(), { fileName: 'a.csv', bytes: Buffer.from('a'), read }, 'zh')
    await world.ctl('pay', { mchid: merchants[0].mchid, outTradeNo: `FLK${scan.slice(4)}`, outcome: 'success' })
    await watchPayment(house.edge(), scan)
    await issueOrder(house.edge(), orderId)
    return { [company.id]: 'company', [brandId]: 'brand', [orderId]: 'order', [merchants[0].mchid]: 'mchid' }
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
