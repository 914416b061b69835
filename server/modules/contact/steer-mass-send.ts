import type { Id } from '../../../contract/ids.ts'
import { massSendMoves } from '../../../contract/states.ts'
import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { findOwn } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { MassSend } from './tables.ts'

const CANCELLED_BEFORE = '41093'
const REMINDED_ENOUGH = '41094'

/**
 * Has WeCom remind the members who have not confirmed a task, or calls the task back; what was sent stays sent. Refuses
 * with `state_conflict` for a task that is not waiting, `wecom_not_connected`, and `too_many_requests` where WeCom says
 * that the members were reminded enough.
 */
export async function steerMassSend(edge: Edge, id: Id<'massSend'>, how: 'remind' | 'cancel'): Promise<void> {
  const { app, messageId } = await edge.read(async (tx) => {
    const row = await findOwn(tx, MassSend, id)
    if (row.state !== 'created' || !row.messageId) refuse('state_conflict')
    return { app: (await readWecomApp(tx, row.companyId)) ?? refuse('wecom_not_connected'), messageId: row.messageId }
  })
  try {
    if (how === 'remind') await edge.ports.wecom.remindMassSend(app, messageId)
    else await edge.ports.wecom.cancelMassSend(app, messageId)
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    if (error.code === REMINDED_ENOUGH) refuse('too_many_requests')
    if (error.code !== CANCELLED_BEFORE) throw error
  }
  await edge.tx(async (tx) => {
    if (how === 'remind') return trail(tx, { objectId: id, act: 'mass_send.reminded' })
    await move(tx, { table: 'mass_send', id, from: 'created', to: 'cancelled', moves: massSendMoves })
  })
}
