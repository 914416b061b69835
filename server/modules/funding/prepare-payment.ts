import type { Id } from '../../../contract/ids.ts'
import { paymentMoves, type PaymentState } from '../../../contract/states.ts'
import type { PayCredential } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { inGroups } from '../../kernel/in-groups.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql, updateRows } from '../../kernel/sql.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { askPayment } from './ask-payment.ts'
import { place } from './charge-wechat.ts'
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
  const text = lead && (await askForCredential(edge, lead))
  if (lead === null || text === null) return
  const keep = isCombined(lead) ? keepForAll : keepOne
  await unlessEnded(edge, lead, await edge.tx((tx) => keep(tx, { lead, text })))
}

/** A WeChat payment as far as asking for its credential goes. */
type Lead = Pick<
  PaymentRow,
  'id' | 'orderId' | 'version' | 'mchid' | 'appid' | 'product' | 'requestSealed' | 'combineNo' | 'combineMchid'
>

/**
 * The same for a payment that the caller recorded a moment ago, and which is not combined: gives the credential as soon as it is
 * there; null when no answer came. It is kept right after that, for whoever asks next; should that fail, it is asked for again.
 */
export async function prepareNew(edge: Edge, lead: Lead): Promise<string | null> {
  const text = await askForCredential(edge, lead)
  if (text !== null)
    keepTogether(edge, { lead, text })
      .then((kept) => unlessEnded(edge, lead, kept))
      .catch((error: unknown) => edge.log.warn({ err: error, paymentId: lead.id }, 'a credential was not kept'))
  return text
}

/** A payment that ended here unpaid while WeChat Pay was asked is closed there too. */
async function unlessEnded(edge: Edge, lead: Lead, { kept, state }: Kept): Promise<void> {
  if (!kept && (state === 'closed' || state === 'failed')) await askPayment(edge, lead.id, { close: true })
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

async function askForCredential(edge: Edge, lead: Lead): Promise<string | null> {
  const { wechatPay } = edge.ports
  const body = edge.house.seal.open(place(lead.id), lead.requestSealed!)
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

interface Kept {
  /** False: somebody asked after us, or the payment changed; ours is not kept. */
  readonly kept: boolean
  readonly state: PaymentState
}

const untilOf = (tx: Tx, lead: Lead): number => tx.clock.now() + CREDENTIAL_LIFE_MS[lead.product ?? 'native']

interface Credential {
  readonly lead: Lead
  readonly text: string
}

const keepOne = async (tx: Tx, item: Credential): Promise<Kept> => (await keepMany(tx, [item]))[0]!

/** Nobody waits for it: who presses again within a second waits longer anyway (`readyToPay`). */
const KEEP_PACE_MS = 200

/** The same of everybody's of a moment by one commit. */
const keepTogether = inGroups(keepMany, { crowdAt: null, paceMs: KEEP_PACE_MS })

async function keepMany(tx: Tx, items: readonly Credential[]): Promise<Kept[]> {
  const rows = items.map(({ lead, text }) => {
    return { id: lead.id, version: lead.version, code_url: text, until_ms: untilOf(tx, lead) }
  })
  const kept = await updateRows(
    tx.em,
    'payment',
    rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    {
      set: 'code_url = new_code_url, code_until_ms = new_until_ms, version = version + 1',
      where: 'payment.version = new_version',
    },
  )
  if (kept === rows.length) return items.map(() => ({ kept: true, state: 'opened' }))
  const now = await readCredentials(
    tx,
    rows.map(({ id }) => id),
  )
  return items.map(({ lead, text }): Kept => {
    const { state, codeUrl } = now.get(lead.id)!
    return { kept: codeUrl === text, state }
  })
}

/** Of a combined payment all sub-orders carry it. */
async function keepForAll(tx: Tx, { lead, text }: Credential): Promise<Kept> {
  const until = untilOf(tx, lead)
  await lockOrders(tx, [lead.orderId])
  const kept = await change(
    tx.em,
    'update payment set code_url = ?, code_until_ms = ?, version = version + 1 where id = ? and version = ?',
    [text, until, lead.id, lead.version],
  )
  if (kept === 1)
    await change(
      tx.em,
      'update payment set code_url = ?, code_until_ms = ?, version = version + 1 where combine_no = ? and id <> ?',
      [text, until, lead.combineNo, lead.id],
    )
  return { kept: kept === 1, state: (await readCredentials(tx, [lead.id])).get(lead.id)!.state }
}

async function readCredentials(tx: Tx, ids: readonly Id<'payment'>[]) {
  const rows = await sql<{ id: Id<'payment'>; state: PaymentState; codeUrl: string | null }>(
    tx.em,
    `select id, state, code_url as codeUrl from payment where id in (${ids.map(() => '?').join(',')})`,
    ids,
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Refused: either the number already ended there (paid or closed), or it never began and the payment has failed. */
async function giveUp(edge: Edge, lead: Lead, cause: OutsideError): Promise<void> {
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
