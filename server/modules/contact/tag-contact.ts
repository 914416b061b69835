import type { Id } from '../../../contract/ids.ts'
import { externalContactMoves } from '../../../contract/states.ts'
import type { WecomApp } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { readContact, type ContactRow } from './keep-contact.ts'
import { openContact } from './seal-contact.ts'

/** One group of ours in the company's tags, so that its own tags stay as they are. */
const GROUP = '福利卡领取'
const names = { claimed: '已领取', unclaimed: '未领取' } as const
type Tag = keyof typeof names

const NO_RELATION = '84061'

/**
 * Job `contact.tag`: makes a contact carry the tag of what is true now: claimed, or not yet. May be run again at any time.
 * Two jobs of one contact do not run into each other: whoever comes second is told so by WeCom (45035) and comes back.
 * A relation that is gone ends the contact. Throws OutsideError where it must be tried again.
 */
export async function tagContact(edge: Edge, contactId: Id<'externalContact'>): Promise<void> {
  const found = await edge.read((tx) => readWish(tx, contactId))
  if (found === null) return
  const { app, contact, tag } = found
  const { externalUserId, follower } = openContact(edge.house, contact)
  try {
    const ids = await edge.ports.wecom.ensureTags(app, GROUP, Object.values(names))
    const of = (one: Tag): string[] => [ids.get(names[one]) ?? []].flat()
    const other = tag === 'claimed' ? 'unclaimed' : 'claimed'
    await edge.ports.wecom.markTag(app, { userid: follower, externalUserId }, { add: of(tag), remove: of(other) })
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    if (error.outcome === 'busy' || error.outcome === 'unknown') throw error
    edge.log.warn({ contactId, code: error.code }, 'a contact was not tagged')
    if (error.code === NO_RELATION) await edge.tx((tx) => endContact(tx, contact))
    return
  }
  await edge.tx((tx) => change(tx.em, 'update external_contact set tag = ? where id = ?', [tag, contactId]))
}

/** A contact whom WeCom does not know under this member any more. */
async function endContact(tx: Tx, contact: ContactRow): Promise<void> {
  if (contact.state === 'removed') return
  const step = { table: 'external_contact', id: contact.id, from: contact.state, to: 'removed' }
  await move(tx, { ...step, moves: externalContactMoves, note: NO_RELATION })
}

async function readWish(
  tx: Tx,
  id: Id<'externalContact'>,
): Promise<{ readonly app: WecomApp; readonly contact: ContactRow; readonly tag: Tag } | null> {
  const contact = await readContact(tx, { id })
  if (contact === null || contact.state !== 'added') return null
  const [claim] = await sql(
    tx.em,
    `select 1 from claim join contact_way way on way.campaign_id = claim.campaign_id
      where way.id = ? and claim.person_id = ?`,
    [contact.contactWayId ?? '', contact.personId ?? ''],
  )
  const tag = claim === undefined ? 'unclaimed' : 'claimed'
  const app = await readWecomApp(tx, contact.companyId)
  return app === null || contact.tag === tag ? null : { app, contact, tag }
}
