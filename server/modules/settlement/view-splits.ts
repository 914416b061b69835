import type { z } from 'zod'
import type { SplitDetail, SplitLine, SplitsInput } from '../../../contract/operator/settlement.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readBrands } from '../catalog/read-template.ts'
import type { Verdicts } from './next-work.ts'
import { readCalls, readReceivers } from './plan-next.ts'
import { Split, type SplitRow } from './tables.ts'

/** A page of splits, newest first. */
export async function viewSplits(tx: Tx, wish: z.output<typeof SplitsInput>) {
  const { state, mchid, orderId, cursor, limit } = wish
  const where = {
    ...(state && { state }),
    ...(mchid && { mchid }),
    ...(orderId && { orderId }),
    ...(cursor && { id: { $lt: cursor as Id<'split'> } }),
  }
  const options = { orderBy: { id: 'desc' }, limit: limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(Split, where, options)
  const shown = rows.slice(0, limit)
  return { splits: await present(tx, shown), nextCursor: rows.length > limit ? shown.at(-1)!.id : null }
}

/** One split with its calls and receivers. Refuses with `not_found`. */
export async function viewSplit(tx: Tx, id: Id<'split'>): Promise<SplitDetail> {
  const split = (await tx.em.findOne(Split, { id }, { disableIdentityMap: true })) ?? refuse('not_found')
  const [line] = await present(tx, [split])
  const receivers = await readReceivers(tx, split)
  const calls = await readCalls(tx, split)
  return {
    ...line!,
    calls: calls.map((call) => ({
      id: call.id,
      kind: call.kind,
      state: call.state,
      outOrderNo: call.outOrderNo,
      tries: call.tries,
      polls: call.polls,
      error: call.error ?? null,
      sentAtMs: call.sentAtMs ?? null,
      finishedAtMs: call.finishedAtMs ?? null,
      receivers: receivers
        .filter((one) => one.callId === call.id)
        .map((one) => ({
          id: one.id,
          account: one.account,
          party: one.party,
          amountFen: one.amountFen,
          returnedFen: one.returnedFen,
          state: one.state,
          failReason: one.failReason ?? null,
        })),
    })),
    leftToPayout: Object.entries(JSON.parse(split.givenUp) as Verdicts).flatMap(([account, { reason }]) =>
      reason === null ? [] : [{ account, reason }],
    ),
  }
}

async function present(tx: Tx, rows: readonly SplitRow[]): Promise<SplitLine[]> {
  const brands = await readBrands(tx, [...new Set(rows.map((row) => row.brandId))])
  const names = new Map(brands.map((brand) => [brand.id, brand.name]))
  return rows.map((row) => ({
    id: row.id,
    orderId: row.orderId,
    paymentId: row.paymentId,
    brandName: names.get(row.brandId) ?? '',
    mchid: row.mchid,
    collector: row.collector,
    state: row.state,
    paidFen: row.paidFen,
    refundedFen: row.refundedFen + row.refundedOfReturnsFen + row.refundedOfRestFen,
    sharedFen: row.sharedFen,
    returnedFen: row.returnedFen,
    unfrozenFen: row.unfrozenFen ?? null,
    feeFen: row.feeFen ?? null,
    problem: row.problem ?? null,
    plannedAtMs: row.plannedAtMs,
    finishedAtMs: row.finishedAtMs ?? null,
    nextAtMs: row.nextAtMs ?? null,
  }))
}
