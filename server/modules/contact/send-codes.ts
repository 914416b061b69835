import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { openCode } from './seal-contact.ts'

/** Calls of one job at once: a shift of 2,000 gets its codes within seconds. */
const AT_ONCE = 10

interface Waiting {
  readonly id: Id<'smsCode'>
  readonly sealed: Uint8Array
  readonly company: string
}

/**
 * Job `sms.send`: hands codes that were planned to the SMS service, each under its own reference, so that a repeat sends
 * nothing twice. What was handed over loses its number. Throws OutsideError when some could not be handed over yet; a
 * number that the service refuses is given up, and a code that has run out is not sent any more.
 */
export async function sendCodes(edge: Edge, codeIds: readonly Id<'smsCode'>[]): Promise<void> {
  if (codeIds.length === 0) return
  const slots = codeIds.map(() => '?').join(',')
  const waiting = await edge.read((tx) =>
    sql<Waiting>(
      tx.em,
      `select sms_code.id as id, sms_code.phone_sealed as sealed, company.name as company
        from sms_code join company on company.id = sms_code.company_id
        where sms_code.id in (${slots}) and sms_code.state = 'planned' and sms_code.phone_sealed is not null
          and sms_code.expires_at_ms > ? order by sms_code.id`,
      [...codeIds, edge.clock.now()],
    ),
  )
  const done: { readonly id: Id<'smsCode'>; readonly state: 'sent' | 'failed' }[] = []
  let stopped: OutsideError | null = null
  for (let from = 0; from < waiting.length && stopped?.outcome !== 'broken'; from += AT_ONCE) {
    const answers = await Promise.all(waiting.slice(from, from + AT_ONCE).map((one) => sendOne(edge, one)))
    for (const answer of answers)
      if (answer instanceof OutsideError) stopped = answer
      else done.push(answer)
  }
  await edge.tx(async (tx) => {
    for (const { id, state } of done)
      await change(
        tx.em,
        "update sms_code set phone_sealed = null, state = case when state = 'planned' then ? else state end where id = ?",
        [state, id],
      )
  })
  if (stopped !== null) throw stopped
}

async function sendOne(edge: Edge, { id, sealed, company }: Waiting) {
  const { mobile, code } = openCode(edge.house, id, sealed)
  try {
    await edge.ports.sms.sendCode({ mobile, code, company, reference: id })
    return { id, state: 'sent' } as const
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ codeId: id, outcome: error.outcome, code: error.code }, 'a code was not taken by the SMS service')
    return error.outcome === 'refused' ? ({ id, state: 'failed' } as const) : error
  }
}
