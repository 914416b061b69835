import type { Id } from '../contract/ids.ts'
import type { Edge, Tx } from '../server/kernel/context.ts'
import { finishEvent } from '../server/modules/company/finish-event.ts'
import { takeCancellation, takeChange, takeInstall } from '../server/modules/company/work-suite-events.ts'
import { noteContactEvent } from '../server/modules/contact/note-contact-event.ts'
import { renameFollower } from '../server/modules/contact/rename-follower.ts'
import { openWallet } from '../server/modules/wallet/open-wallet.ts'
import { readEvent, type WecomEventView } from '../server/modules/company/read-event.ts'
import { noteDirectoryEvent } from '../server/modules/staff/note-directory-event.ts'
import { answerApproval } from '../server/modules/delivery/answer-approval.ts'

/** Does what an event asks for. It may come twice, late, out of order or never: it decides by WeCom's time and by asking. */
export type EventHandler = (edge: Edge, event: WecomEventView) => Promise<void>

/** A company that installs us from the market is made here, and every company has a wallet. */
const openNewWallet = async (tx: Tx, companyId: Id<'company'>): Promise<void> => void (await openWallet(tx, companyId))

/** Known and without consequence here: somebody opened the app, chose of its menu, wrote to it, or ordered licences. */
const noted: EventHandler = async () => undefined

/** WeCom is about to cut, or has cut, an app that is hardly used: sending tells the company, the log tells the platform. */
const warned: EventHandler = async (edge, { companyId, kind }) =>
  edge.log.warn({ companyId, kind }, 'wecom restricts an app that is hardly used')

/** A member who has another userid now: all that stands under it follows, of ours and of the outside. */
const renamed: EventHandler = async (edge, event) => {
  await noteDirectoryEvent(edge, event)
  await renameFollower(edge, event)
}

/** Every event that the house acts on, by kind or `kind:changeType`; a kind alone stands for all its change types. */
export const eventHandlers: Readonly<Record<string, EventHandler>> = {
  create_auth: (edge, event) => takeInstall(edge, event, openNewWallet),
  reset_permanent_code: (edge, event) => takeInstall(edge, event, openNewWallet),
  change_auth: takeChange,
  cancel_auth: takeCancellation,
  change_external_contact: noteContactEvent,
  change_app_admin: noted,
  share_agent_change: noted,
  unlicensed_notify: noted,
  license_pay_success: noted,
  license_refund: noted,
  open_order: noted,
  change_order: noted,
  pay_for_app_success: noted,
  refund: noted,
  change_contact: noteDirectoryEvent,
  'change_contact:update_user': renamed,
  subscribe: noteDirectoryEvent,
  unsubscribe: noteDirectoryEvent,
  template_card_event: answerApproval,
  inactive_alert: warned,
  close_inactive_agent: warned,
  reopen_inactive_agent: noted,
  low_active_alert: warned,
  low_active: warned,
  active_restored: noted,
  enter_agent: noted,
  click: noted,
  view: noted,
  view_miniprogram: noted,
  location: noted,
  text: noted,
  image: noted,
  voice: noted,
  video: noted,
  link: noted,
}

/**
 * Works one stored callback. An event that nobody here knows is kept and counted as `unknown`, never an error; one whose
 * job dies ends as `failed` with it, for the platform's people to run again.
 */
export async function workEvent(edge: Edge, id: Id<'wecomEvent'>): Promise<void> {
  const event = await readEvent(edge, id)
  if (event === null || event.state === 'done' || event.state === 'unknown') return
  const handler = handlerOf(event)
  if (handler === undefined) {
    edge.log.info({ eventId: id, kind: event.kind, changeType: event.changeType }, 'wecom event of an unknown kind')
    return edge.tx((tx) => finishEvent(tx, id, 'unknown'))
  }
  await handler(edge, event)
  await edge.tx((tx) => finishEvent(tx, id, 'done'))
}

function handlerOf({ kind, changeType }: WecomEventView): EventHandler | undefined {
  const names = changeType === null ? [kind] : [`${kind}:${changeType}`, kind]
  const known = names.find((name) => Object.hasOwn(eventHandlers, name))
  return known === undefined ? undefined : eventHandlers[known]
}
