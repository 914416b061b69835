import { fen, sumFen } from '../../../contract/fen.ts'
import type { DecidedChanges, TakeBackPreview } from '../../../contract/hr/directory.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import {
  addJoiner,
  holdChange,
  markLeft,
  movePerson,
  readChange,
  settleChange,
  takeAccount,
  type OpenChange,
} from '../staff/settle-change.ts'
import { giveBack } from './give-back-returners.ts'
import { readTakable, takeBack, type Takable } from './take-back-leavers.ts'

type Decided = DecidedChanges['results'][number]
type ChangeId = Id<'directoryChange'>

/**
 * Settles differences of the directory one by one, each in a transaction of its own, and tells what became of each. A
 * leaver's person has left and what nobody looked at is taken back, at once; a joiner is on the staff, and who
 * is back has what was taken from them; a move changes the
 * department. Refuses with `not_found` for another company's difference before anything is done.
 */
export async function decideChanges(
  edge: Edge,
  wish: { readonly decision: 'done' | 'dismiss'; readonly ids: readonly ChangeId[] },
): Promise<Decided[]> {
  const ids = [...new Set(wish.ids)]
  await edge.read(async (tx) => {
    for (const id of ids) await readChange(tx, id)
  })
  const results: Decided[] = []
  for (const id of ids) results.push(await edge.tx((tx) => decide(tx, id, wish.decision)))
  return results
}

async function decide(tx: Tx, id: ChangeId, decision: 'done' | 'dismiss'): Promise<Decided> {
  const change = await holdChange(tx, id)
  const none = { cards: 0, fen: fen(0) }
  const answer = (outcome: Decided['outcome'], frozen = none, returned = none): Decided => ({
    id,
    outcome,
    frozenCards: frozen.cards,
    frozenFen: frozen.fen,
    returnedCards: returned.cards,
    returnedFen: returned.fen,
  })
  if (decision === 'dismiss') return answer((await settleChange(tx, change, 'dismissed')) ? 'dismissed' : 'not_open')
  if (change.kind === 'joined') {
    if (!change.open) return answer('not_open')
    const personId = await addJoiner(tx, change)
    if (!(await settleChange(tx, { id, personId }, 'done'))) return answer('not_open')
    return answer('done', none, await giveBack(tx, personId))
  }
  if (!(await settleChange(tx, change, 'done'))) return answer('not_open')
  return follow(tx, change, answer)
}

async function follow(
  tx: Tx,
  change: OpenChange,
  answer: (outcome: Decided['outcome'], frozen?: Awaited<ReturnType<typeof takeBack>>) => Decided,
): Promise<Decided> {
  if (change.kind === 'renamed') return answer('done')
  if (change.personId === null) return answer('no_person')
  if (change.kind === 'second') return answer((await takeAccount(tx, change)) ? 'done' : 'account_taken')
  if (change.kind === 'moved') return answer((await movePerson(tx, change)) ? 'done' : 'no_department')
  await markLeft(tx, change.personId)
  return answer('done', await takeBack(tx, change.companyId, change.personId))
}

/** What settling these leavers would take back, as things stand now. Refuses with `not_found`. */
export async function previewTakeBack(tx: Tx, ids: readonly ChangeId[]): Promise<TakeBackPreview> {
  const changes = []
  for (const id of new Set(ids)) changes.push(await readChange(tx, id))
  const people = new Map(
    changes
      .filter((one) => one.kind === 'left' && one.open)
      .flatMap(({ personId, companyId }) => (personId === null ? [] : [[personId, companyId] as const])),
  )
  const all: Takable[] = []
  for (const [personId, companyId] of people) all.push(await readTakable(tx, companyId, personId))
  const add = (count: (one: Takable) => number) => all.reduce((sum, one) => sum + count(one), 0)
  return {
    people: people.size,
    deliveries: add((one) => one.deliveries),
    cards: add((one) => one.cards),
    faceFen: sumFen(all.map((one) => one.faceFen)),
    keptCards: add((one) => one.keptCards),
  }
}
