import { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import type { ReturnFacts, ReturnWish, WechatPayMerchant } from '../wechatpay-port.ts'
import { malformed, readJson } from './answer.ts'
import { ask, look, part, type Caller } from './call.ts'
import { finishedAt } from './sharing.ts'

const PATH = '/v3/profitsharing/return-orders'
const answer = z
  .object({
    out_return_no: z.string().min(1).max(64),
    return_id: z.string().max(64).default(''),
    amount: z.int().positive(),
    result: z.enum(['PROCESSING', 'SUCCESS', 'FAILED']),
    fail_reason: z.string().max(64).nullish(),
    finish_time: z.iso.datetime({ offset: true }).nullish(),
  })
  .transform((told): ReturnFacts => ({
    outReturnNo: told.out_return_no,
    returnId: told.return_id,
    result: told.result,
    failReason: told.fail_reason || null,
    amount: fen(told.amount),
    finishedAtMs: finishedAt(told.finish_time),
  }))

/** Of a body that was made here: what its answer must repeat. */
const sentBody = z.object({ out_return_no: z.string(), amount: z.int() })

/** The body of a return (protocols wechat-pay 5.5). */
export function returnBody(wish: ReturnWish): string {
  return JSON.stringify({
    out_order_no: wish.outOrderNo,
    out_return_no: wish.outReturnNo,
    return_mchid: wish.account,
    amount: wish.amount,
    description: wish.description,
  })
}

/** Takes a share back. While it is PROCESSING only the same number may be asked or sent again. */
export async function returnShare(caller: Caller, merchant: WechatPayMerchant, body: string): Promise<ReturnFacts> {
  const sent = sentBody.parse(readJson(body))
  const facts = await ask(caller, { merchant, path: PATH, body, area: 'return' }, answer)
  if (facts.outReturnNo !== sent.out_return_no || facts.amount !== sent.amount) throw malformed()
  return facts
}

/** A return as it stands; null where it never arrived. */
export async function queryReturn(
  caller: Caller,
  merchant: WechatPayMerchant,
  outOrderNo: string,
  outReturnNo: string,
): Promise<ReturnFacts | null> {
  const path = `${PATH}/${part(outReturnNo)}?out_order_no=${part(outOrderNo)}`
  const facts = await look(caller, { merchant, path, area: 'return' }, answer)
  if (facts !== null && facts.outReturnNo !== outReturnNo) throw malformed()
  return facts
}
