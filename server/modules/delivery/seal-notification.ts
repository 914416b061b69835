import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { idField } from '../../../contract/fields.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'

/** The bytes of the call at work: the sending with whom it names, or the change of a card by its code. */
const CallAtWork = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('send'),
    body: z.string(),
    /** userid, as it is compared in the company's space, -> the notifications that it stands for. */
    people: z.record(z.string(), z.array(idField('notification'))),
  }),
  z.object({ kind: z.literal('update'), body: z.string(), codeAtMs: z.number() }),
])
export type CallAtWork = z.infer<typeof CallAtWork>

const place = (rowId: Id<'notification'>, column: string) => ({ table: 'notification', column, rowId })

/** Seals the call at work for its own row. */
export function sealCall(scope: Scope, id: Id<'notification'>, call: CallAtWork): Buffer {
  return scope.house.seal.seal(place(id, 'body_sealed'), JSON.stringify(call))
}

/** Opens what `sealCall` sealed; null where nothing is at work. Throws SealBroken. */
export function openCall(
  scope: Scope,
  id: Id<'notification'>,
  sealed: Uint8Array | null | undefined,
): CallAtWork | null {
  if (!sealed || sealed.length === 0) return null
  return CallAtWork.parse(JSON.parse(scope.house.seal.open(place(id, 'body_sealed'), sealed)))
}

/** Seals the code with which a card is changed. */
export function sealCode(scope: Scope, id: Id<'notification'>, code: string): Buffer {
  return scope.house.seal.seal(place(id, 'response_code_sealed'), code)
}

/** Opens what `sealCode` sealed. Throws SealBroken. */
export function openCode(scope: Scope, id: Id<'notification'>, sealed: Uint8Array): string {
  return scope.house.seal.open(place(id, 'response_code_sealed'), sealed)
}

/**
 * What WeCom carries with an approval card and gives back when it is pressed. Ids follow one another, and whoever set the
 * app up in WeCom holds the keys of its callback and the secret of its messages: the tag, which nobody but WeCom is told,
 * keeps them from pressing in another's name, and from having another press a card of theirs.
 */
export function taskIdOf(scope: Scope, id: Id<'notification'>): string {
  return `${id}@${scope.house.seal.blindIndex('approval.task', id).slice(0, TAG_LENGTH)}`
}
const TAG_LENGTH = 32

/** The card of a task; null for one that we did not give out. */
export function cardOfTask(scope: Scope, taskId: string | null): Id<'notification'> | null {
  const id = taskId?.split('@', 1)[0]
  if (taskId === null || !isId('notification', id)) return null
  const [given, wanted] = [Buffer.from(taskId), Buffer.from(taskIdOf(scope, id))]
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? id : null
}
