import type { RefundFacts } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { takeRefund, type RefundAnswer } from './apply-facts.ts'
import { readPart } from './read-part.ts'
import { RefundPart } from './tables.ts'

/**
 * Takes a notice of a refund that was verified before: before the answer to our call, twice, or out of order. Whom it
 * names and how much is compared with what was asked; what does not fit moves nothing and is not acknowledged.
 */
export async function acceptRefundNotice(
  tx: Tx,
  told: RefundFacts & { readonly mchid: string },
): Promise<RefundAnswer> {
  const { outRefundNo } = told
  const named = await tx.em.findOne(RefundPart, { outRefundNo }, { disableIdentityMap: true })
  const facts = named && (await readPart(tx, named.id))
  if (!facts) {
    tx.log.error({ outRefundNo, mchid: told.mchid }, 'a notice of a refund that nobody asked for')
    return 'unknown_refund'
  }
  if (facts.payment.mchid !== told.mchid) {
    tx.log.error({ outRefundNo, mchid: told.mchid }, 'a notice of a refund by another merchant')
    return 'wrong_merchant'
  }
  return takeRefund(tx, facts.part.id, told)
}

/** What funding's one address for notices hands over: acknowledged only where it fits, so that anything else is told again. */
export async function takeRefundNotice(edge: Edge, told: RefundFacts & { readonly mchid: string }): Promise<void> {
  const actor = { kind: 'system', name: 'wechat_pay' } as const
  const answer = await edge.tx((tx) => acceptRefundNotice({ ...tx, actor }, told))
  if (answer !== 'accepted' && answer !== 'repeated') refuse('notice_refused', { detail: answer })
}
