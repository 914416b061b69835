import { z } from 'zod'
import {
  CardIdInput,
  LatestPurchase,
  LatestPurchaseInput,
  PackShops,
  ShopsInput,
  ShownPayCode,
} from '../../../contract/employee/pack.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { makePass } from './make-pass.ts'
import { makeReminder } from './make-reminder.ts'
import { findShops } from './find-shops.ts'
import { holderOf } from './read-pack.ts'
import { readLatestPurchase } from './read-purchase.ts'
import { showCardCode, showHolderCode } from './show-pay-code.ts'

/** What somebody needs at a till: a code, the receipt that follows it, and a till in the first place, before it is too late. */
export const payEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/:id/pay-code', may: 'pack.act', scope: 'read' } as const),
    input: CardIdInput,
    output: ShownPayCode,
    run: (tx, { id }) => showCardCode(tx, holderOf(tx.actor), id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/pay-code', may: 'pack.act', scope: 'read' } as const),
    input: z.object({}),
    output: ShownPayCode,
    run: (tx) => showHolderCode(tx, holderOf(tx.actor)),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/purchases/latest', may: 'pack.read', scope: 'read' } as const),
    input: LatestPurchaseInput,
    output: LatestPurchase,
    run: async (tx, { sinceMs }) => ({ purchase: await readLatestPurchase(tx, holderOf(tx.actor), sinceMs) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/:id/shops', may: 'pack.read', scope: 'read', body: 'json' } as const),
    input: ShopsInput,
    output: PackShops,
    run: (tx, input) => findShops(tx, holderOf(tx.actor), input),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/cards/:id/reminder', may: 'pack.read', scope: 'read' } as const),
    ...({ input: CardIdInput, output: 'stream' } as const),
    run: async (tx, { id }, http) => {
      const calendar = await makeReminder(tx, holderOf(tx.actor), id, http.lang)
      http.setHeader('Content-Type', 'text/calendar; charset=utf-8')
      // Shown, not kept: a phone then offers to add it, and needs no place for a file.
      http.setHeader('Content-Disposition', 'inline; filename="card.ics"')
      return calendar
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/cards/:id/pass', may: 'pack.read', scope: 'edge' } as const),
    ...({ input: CardIdInput, output: 'stream' } as const),
    run: async (edge, { id }, http) => {
      const pass = await makePass(edge, id, http.lang)
      http.setHeader('Content-Type', 'application/vnd.apple.pkpass')
      http.setHeader('Content-Disposition', 'attachment; filename="card.pkpass"')
      return pass
    },
  }),
]
