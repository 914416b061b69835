import { fen } from '../../contract/fen.ts'
import { encodeId, type Id } from '../../contract/ids.ts'
import { FilingEntry } from '../../contract/operator/filing.ts'
import type { z } from 'zod'
import type { Ports } from '../channels/ports.ts'
import type { Edge } from '../kernel/context.ts'
import { change, sql } from '../kernel/sql.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { setFiling } from '../modules/catalog/set-filing.ts'
import { openPayment } from '../modules/funding/open-payment.ts'
import { issueOrder } from '../modules/issuance/issue-order.ts'
import { account } from '../modules/ledger/accounts.ts'
import { credit, debit, post } from '../modules/ledger/post.ts'
import { placeOrder } from '../modules/order/place-order.ts'
import { requestRefund } from '../modules/refund/request-refund.ts'
import { aTemplate } from './cards.ts'
import { aCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'

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

  /** Spends from the last card of an order as a till will: the issuer owes that much less. */
  async function redeem(of: Made, orderId: Id<'order'>, atMs: number, amount: number): Promise<void> {
    const cardId = (await cardsOf(orderId)).at(-1)!
    await system(atMs).tx(async (tx) => {
      await change(tx.em, 'update card set balance_fen = balance_fen - ? where id = ?', [amount, cardId])
      await change(
        tx.em,
        `insert into activity (card_id, seq, kind, amount_fen, balance_fen, ref, at_ms)
          select id, 2, 'capture', ?, balance_fen, 'till', ? from card where id = ?`,
        [-amount, atMs, cardId],
      )
      const lines = [
        debit(account.outstanding(of.id), fen(amount), 'VALUE'),
        credit(account.cards(of.id), fen(amount), 'VALUE'),
      ]
      await post(tx, [{ kind: 'captured', ref: cardId, lines }])
    })
  }

  return { company, system, brand, issue, refund, redeem }
}
