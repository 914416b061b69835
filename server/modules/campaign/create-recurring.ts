import type { RecurringContent } from '../../../contract/hr/recurring.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { readVersions } from '../catalog/read-template.ts'
import { sealRunGreeting } from './seal-words.ts'
import { Recurring } from './tables.ts'

/**
 * Makes a draft of a birthday or anniversary run for the actor's company. Refuses with `not_found` for a card that there
 * is not.
 */
export async function createRecurring(tx: Tx, content: RecurringContent): Promise<Id<'recurring'>> {
  const { greeting, ...columns } = await settledContent(tx, content)
  const [id, now] = [tx.newId('recurring'), tx.clock.now()]
  await tx.em.insert(Recurring, {
    id,
    companyId: companyOf(tx.actor),
    state: 'draft',
    version: 1,
    ...columns,
    greetingSealed: sealRunGreeting(tx, id, greeting),
    createdBy: memberOf(tx.actor),
    createdAtMs: now,
    changedAtMs: now,
  })
  await trail(tx, { objectId: id, act: 'recurring.created', toState: 'draft' })
  return id
}

/** The content as it is kept: birthdays know no years. Refuses with `not_found` for a card that there is not. */
export async function settledContent(tx: Tx, content: RecurringContent): Promise<RecurringContent> {
  const [version] = await readVersions(tx, [content.templateVersionId])
  if (version === undefined) refuse('not_found', { field: 'templateVersionId' })
  return content.kind === 'birthday' ? { ...content, perYearFen: fen(0) } : content
}
