import type { Id } from '../../../contract/ids.ts'
import { paymentMoves } from '../../../contract/states.ts'
import type { PayCredential } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { askPayment } from './ask-payment.ts'
import { callerOf, isCombined, readGroup } from './read-payment.ts'
import { CREDENTIAL_LIFE_MS } from './rules.ts'
import { Payment, type PaymentRow } from './tables.ts'

/** A call may be repeated with the same number and body: WeChat Pay answers with a fresh credential. */
const TRIES = 2

/**
 * Gets what the payer's device needs for an open WeChat payment that has none, or one that is no longer good; a combined
 * payment is asked for once for all its sub-orders. Every call sends the stored body. An unknown or busy answer leaves it
 * without, to be asked for again. A refusal is first checked against what WeChat Pay knows of the number: a payment that
 * it does not know is failed, and `provider_unavailable` is thrown. One that was closed meanwhile is closed there too.
 */
export async function preparePayment(edge: Edge, paymentId: Id<'payment'>): Promise<void> {
  const lead = await edge.tx((tx) => claimPreparing(tx, paymentId))
  if (!lead) return
  const credential = await askForCredential(edge, lead)
  if (credential === null) return
  const [kept, now] = await edge.tx(async (tx) => [
    await keepCredential(tx, lead, credential),
    await tx.em.findOneOrFail(Payment, { id: lead.id }, { disableIdentityMap: true }),
  ])
  if (!kept && now.state !== 'opened') await askPayment(edge, lead.id, { close: true })
}

/**
 * Marks that this caller asks now, and gives the row with the body. A later credential kills an earlier one, so of
 * several callers only the last one's is kept. Null when there is nothing to ask for. A caller that dies holds nobody up.
 */
async function claimPreparing(tx: Tx, paymentId: Id<'payment'>): Promise<PaymentRow | null> {
  const [lead] = await readGroup(tx, paymentId)
  const now = tx.clock.now()
  const claimed = await change(
    tx.em,
    `update payment set version = version + 1 where id = ? and source = 'wechat_pay' and state = 'opened'
      and request_sealed is not null and (code_url is null or code_until_ms <= ?) and expires_at_ms > ?`,
    [lead!.id, now, now],
  )
  return claimed === 0 ? null : tx.em.findOne(Payment, { id: lead!.id }, { disableIdentityMap: true })
}

async function askForCredential(edge: Edge, lead: PaymentRow): Promise<string | null> {
  const { wechatPay } = edge.ports
  const place = { table: 'payment', column: 'request_sealed', rowId: lead.id }
  const body = edge.house.seal.open(place, lead.requestSealed!)
  const product = lead.product ?? 'native'
  for (let tried = 1; ; tried += 1) {
    try {
      const caller = callerOf(lead)
      return textOf(
        !isCombined(lead)
          ? await wechatPay.prepare(caller, product, body)
          : await wechatPay.prepareCombined(caller, product, body),
      )
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      edge.log.warn({ paymentId: lead.id, outcome: error.outcome, code: error.code }, 'no credential for a payment')
      if (error.outcome === 'unknown' && tried < TRIES) continue
      if (error.outcome === 'unknown' || error.outcome === 'busy') return null
      await giveUp(edge, lead, error)
      return null
    }
  }
}

function textOf(credential: PayCredential): string {
  switch (credential.kind) {
    case 'native':
      return credential.codeUrl
    case 'jsapi':
      return credential.prepayId
    case 'h5':
      return credential.h5Url
  }
}

/** False when somebody asked after us, or the payment changed: ours is not kept. */
async function keepCredential(tx: Tx, lead: PaymentRow, text: string): Promise<boolean> {
  const until = tx.clock.now() + CREDENTIAL_LIFE_MS[lead.product ?? 'native']
  if (isCombined(lead)) await lockOrders(tx, [lead.orderId])
  const kept = await change(
    tx.em,
    'update payment set code_url = ?, code_until_ms = ?, version = version + 1 where id = ? and version = ?',
    [text, until, lead.id, lead.version],
  )
  if (kept === 1 && isCombined(lead))
    await change(
      tx.em,
      'update payment set code_url = ?, code_until_ms = ?, version = version + 1 where combine_no = ? and id <> ?',
      [text, until, lead.combineNo, lead.id],
    )
  return kept === 1
}

/** Refused: either the number already ended there (paid or closed), or it never began and the payment has failed. */
async function giveUp(edge: Edge, lead: PaymentRow, cause: OutsideError): Promise<void> {
  if (cause.outcome === 'refused' && (await askPayment(edge, lead.id)) !== 'never_placed') return
  await edge.tx(async (tx) => {
    await lockOrders(tx, [lead.orderId])
    for (const { id } of await readGroup(tx, lead.id))
      await move(tx, {
        table: 'payment',
        id,
        from: 'opened',
        to: 'failed',
        moves: paymentMoves,
        note: cause.code.slice(0, 64),
      })
  })
  refuse('provider_unavailable', { cause })
}
