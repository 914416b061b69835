import { fen } from '../../contract/fen.ts'
import { encodeId, type Id } from '../../contract/ids.ts'
import { FilingEntry } from '../../contract/operator/filing.ts'
import type { z } from 'zod'
import type { Ports } from '../channels/ports.ts'
import type { Edge } from '../kernel/context.ts'
import { sql } from '../kernel/sql.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { setFiling } from '../modules/catalog/set-filing.ts'
import { openPayment } from '../modules/funding/open-payment.ts'
import { issueOrder } from '../modules/issuance/issue-order.ts'
import { placeOrder } from '../modules/order/place-order.ts'
import type { Till } from '../modules/redemption/till-acts.ts'
import { requestRefund } from '../modules/refund/request-refund.ts'
import { aTemplate } from './cards.ts'
import { aCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'
import { act, actOf, aTill, codeOf } from './tills.ts'

/** An instant by the clock on a wall in Beijing: `2026-03-31 23:59:59.999`. */
export const beijing = (wall: string): number => Date.parse(`${wall.replace(' ', 'T')}+08:00`)

let prefixes = 0

/** Issuers, cards that are made, taken back and spent, each at a chosen instant. */
export async function custodyStage(database: TestDatabase) {
  const company = await aCompany(database, { walletFen: 100_000_000 })
  let keys = 0
  const system = (atMs: number): Edge => database.edge({} as Ports, undefined, () => atMs)

  async function brand(atMs: number, filing?: Partial<z.input<typeof FilingEntry>>) {
    return system(atMs).tx(async (tx) => {
      const issuerPrefix = String(5_000_000 + (prefixes += 1))
      const id = await createBrand(tx, { name: `品牌 ${issuerPrefix}`, issuerPrefix })
      const facts = {
        number: '备 001',
        filedDay: '2025-01-01',
        custodyBank: '沙箱银行',
        custodyAccount: '6222000011112222',
      }
      if (filing !== undefined) await setFiling(tx, id, FilingEntry.parse({ class: 'scale', ...facts, ...filing }))
      return { id, templateVersionId: await aTemplate(tx, id) }
    })
  }
  type Made = Awaited<ReturnType<typeof brand>>

  /** Cards of one face, paid from the wallet; answers their order. */
  async function issue(of: Made, atMs: number, faceFen: number, cards = 1): Promise<Id<'order'>> {
    const edge = database.edge({} as Ports, company.as('hr'), () => atMs)
    const items = Array.from({ length: cards }, (_, index) => ({
      holderId: encodeId('person', BigInt(index)),
      templateVersionId: of.templateVersionId,
      faceFen: fen(faceFen),
      priceFen: fen(faceFen),
    }))
    const orderId = await edge.tx((tx) => placeOrder(tx, { companyId: company.id, items }))
    await openPayment(edge, { orderId, source: 'wallet', amountFen: fen(faceFen * cards) }, `k${(keys += 1)}`)
    await issueOrder(system(atMs), orderId)
    return orderId
  }

  const cardsOf = async (orderId: Id<'order'>): Promise<Id<'card'>[]> => {
    const text = `select card.id as id from card join order_item on order_item.id = card.order_item_id
      where order_item.order_id = ? order by order_item.seq`
    return (await database.tx((tx) => sql<{ id: Id<'card'> }>(tx.em, text, [orderId]))).map((row) => row.id)
  }

  /** Takes the first cards of an order back. */
  async function refund(orderId: Id<'order'>, atMs: number, cards: number): Promise<void> {
    const cardIds = (await cardsOf(orderId)).slice(0, cards)
    const hr = database.edge({} as Ports, company.as('hr'), () => atMs)
    await hr.tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
  }

  const tills = new Map<Id<'brand'>, Till>()
  /** Spends from the last card of an order at a till of its brand. */
  async function redeem(of: Made, orderId: Id<'order'>, atMs: number, amount: number): Promise<void> {
    const cardId = (await cardsOf(orderId)).at(-1)!
    const till = tills.get(of.id) ?? (await aTill(database, of.id))
    tills.set(of.id, till)
    const codes = [await system(atMs).tx(async (tx) => codeOf(tx, cardId))]
    const sale = { billFen: fen(amount), capture: true, partial: false, ref: null }
    const [paid] = await act(database, [actOf(till, { kind: 'authorise', on: { codes }, ...sale })], () => atMs)
    if (!paid!.ok) throw new Error(paid!.code)
  }

  return { company, system, brand, issue, refund, redeem }
}
