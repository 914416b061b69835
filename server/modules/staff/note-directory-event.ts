import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { breakConnection } from '../company/break-connection.ts'
import { fieldOf, type WecomEventView } from '../company/read-event.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { keepMember } from './keep-member.ts'
import { renameUser } from './rename-user.ts'

/** A reorganisation or a changed visible range sends hundreds of events: one reading follows them all. */
const GATHERED_MS = 10 * 60_000

/**
 * An event of the directory (change_contact in both shapes, subscribe, unsubscribe; protocols wecom 2.10, 4.6, 8.6). It is
 * a hint: it may come twice, late or out of order, so WeCom is asked how the member stands now and that is what is
 * written; what was lost, the next reading finds. Somebody whom the app does not see any more has left only when WeCom
 * says that they were deleted: a visible range that shrinks looks the same, and the reading that follows judges it.
 * Throws OutsideError where waiting helps.
 */
export async function noteDirectoryEvent(edge: Edge, event: WecomEventView): Promise<void> {
  const { companyId, changeType } = event
  if (companyId === null) return
  const renaming = renamingOf(event)
  const aboutMember = event.kind !== 'change_contact' || changeType?.endsWith('_user') === true
  if (!aboutMember) return readLater(edge, companyId)
  const userid = userIdOf(event)
  if (userid === null) return
  if (renaming !== null) await edge.tx((tx) => renameUser(tx, companyId, renaming.from, renaming.to))
  if (!(await askAndKeep(edge, companyId, renaming?.to ?? userid, changeType === 'delete_user')))
    await readLater(edge, companyId)
}

/** From which userid to which a member was renamed; null for an event that tells of none. */
export function renamingOf(event: WecomEventView): { readonly from: string; readonly to: string } | null {
  if (event.kind !== 'change_contact' || event.changeType !== 'update_user') return null
  const [from, to] = [userIdOf(event), fieldOf(event, 'NewUserID')]
  return from === null || to === null || from === to ? null : { from, to }
}

/** Suite events carry the id as this provider sees it apart; subscribe and unsubscribe name who it is about as the sender. */
function userIdOf(event: WecomEventView): string | null {
  if (event.kind !== 'change_contact') return fieldOf(event, 'FromUserName')
  return fieldOf(event, 'OpenUserID') ?? fieldOf(event, 'UserID')
}

/** False where the member is not seen any more and nobody said why. */
async function askAndKeep(edge: Edge, companyId: Id<'company'>, userid: string, deleted: boolean): Promise<boolean> {
  const app = await edge.read((tx) => readWecomApp(tx, companyId))
  if (app === null) return true
  try {
    const member = await edge.ports.wecom.member(app, userid)
    if (member === null && !deleted) return false
    await edge.tx((tx) => keepMember(tx, companyId, userid, member))
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome === 'busy' || error.outcome === 'unknown') throw error
    edge.log.warn({ companyId, code: error.code, outcome: error.outcome }, 'directory event not followed')
    if (error.outcome === 'broken') await edge.tx((tx) => breakConnection(tx, companyId, error.code))
  }
  return true
}

/** One reading of everything, soon, for all events of these minutes. */
async function readLater(edge: Edge, companyId: Id<'company'>): Promise<void> {
  await edge.tx((tx) => {
    const readyAtMs = (Math.floor(tx.clock.now() / GATHERED_MS) + 1) * GATHERED_MS
    const key = `directory.sync:${companyId}:${readyAtMs}`
    return enqueue(tx, [{ kind: 'directory.sync', key, args: { companyId }, readyAtMs }])
  })
}
