import type { Id } from '../../../contract/ids.ts'
import { contactWayMoves } from '../../../contract/states.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { breakConnection } from '../company/break-connection.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { isDeadCredential } from './rules.ts'
import { openServing } from './seal-contact.ts'
import { ContactWay } from './tables.ts'

/** Stands in `code` from before the call until its answer is recorded: WeCom may have made the QR code already. */
const CALLED = 'called'

/**
 * Job `contact-way.make`: asks WeCom for the QR code of a contact way. What an earlier call without an answer may have
 * made is looked for by its state and deleted first, so that each place in the quota is used once (protocols wecom 6.2).
 * Throws OutsideError where the call may be repeated later; what WeCom refuses leaves the way `failed` with its code.
 */
export async function publishContactWay(edge: Edge, id: Id<'contactWay'>): Promise<void> {
  const begun = await edge.tx((tx) => begin(tx, id))
  if (begun === null) return
  const { app, way, doubtful } = begun
  try {
    if (doubtful) await deleteByState(edge, app, way.token)
    const made = await edge.ports.wecom.addContactWay(app, {
      userIds: openServing(edge.house, way),
      state: way.token,
      remark: way.site.slice(0, 30),
    })
    const kept = await edge.tx((tx) => recordMade(tx, id, made))
    // Removed while WeCom was making it.
    if (!kept) await edge.ports.wecom.deleteContactWay(app, made.configId)
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ contactWayId: id, code: error.code, outcome: error.outcome }, 'a contact way was not made')
    if (error.outcome === 'unknown' || error.outcome === 'busy') throw error
    await edge.tx(async (tx) => {
      await fail(tx, id, error.code)
      if (isDeadCredential(error.code)) await breakConnection(tx, way.companyId, error.code)
    })
  }
}

/**
 * Job `contact-way.delete`: gives the place of a removed QR code back to the company's quota. Throws OutsideError where
 * it must be tried again.
 */
export async function withdrawContactWay(edge: Edge, id: Id<'contactWay'>): Promise<void> {
  const { way, app } = await edge.read(async (tx) => {
    const row = await tx.em.findOne(ContactWay, { id }, { disableIdentityMap: true })
    return { way: row, app: row && (await readWecomApp(tx, row.companyId)) }
  })
  if (way === null || app === null || way.state !== 'removed') return
  try {
    if (way.configId) await edge.ports.wecom.deleteContactWay(app, way.configId)
    else if (way.code === CALLED) await deleteByState(edge, app, way.token)
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome !== 'refused') throw error
    edge.log.info({ contactWayId: id, code: error.code }, 'wecom does not have this contact way any more')
  }
  await edge.tx((tx) => change(tx.em, 'update contact_way set config_id = null, code = null where id = ?', [id]))
}

async function begin(tx: Tx, id: Id<'contactWay'>) {
  const way = await tx.em.findOne(ContactWay, { id }, { disableIdentityMap: true })
  if (way === null || way.state !== 'planned') return null
  const app = await readWecomApp(tx, way.companyId)
  if (app === null) {
    await fail(tx, id, 'not_connected')
    return null
  }
  const doubtful = way.code === CALLED
  if (!doubtful) await change(tx.em, 'update contact_way set code = ? where id = ?', [CALLED, id])
  return { app, way, doubtful }
}

async function fail(tx: Tx, id: Id<'contactWay'>, code: string): Promise<void> {
  const step = { table: 'contact_way', id, from: 'planned', to: 'failed', moves: contactWayMoves }
  await move(tx, { ...step, set: { code: code.slice(0, 40) }, note: code.slice(0, 40) })
}

function recordMade(
  tx: Tx,
  id: Id<'contactWay'>,
  made: { readonly configId: string; readonly qrUrl: string },
): Promise<boolean> {
  const set = { config_id: made.configId, qr_url: made.qrUrl, code: null }
  return move(tx, { table: 'contact_way', id, from: 'planned', to: 'active', moves: contactWayMoves, set })
}

/** Deletes whatever WeCom made under a state, without our having heard of it. */
async function deleteByState(edge: Edge, app: WecomApp, state: string): Promise<void> {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof edge.ports.wecom.contactWays>> = await edge.ports.wecom.contactWays(
      app,
      cursor,
    )
    for (const one of page.items) if (one.state === state) await edge.ports.wecom.deleteContactWay(app, one.configId)
    cursor = page.next
  } while (cursor !== null)
}
