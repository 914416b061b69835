import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'

/** `second`: somebody proved a mobile of the list whose person has another account. */
export const changeKinds = ['joined', 'left', 'moved', 'renamed', 'second'] as const
export type ChangeKind = (typeof changeKinds)[number]

/** GET /hr/directory: how the last reading of WeCom's directory stands and what it found. */
export const DirectoryView = z.object({
  /** `none` while no app is connected; `broken` and `cancelled` keep it from being read. */
  connection: z.enum(['none', 'active', 'broken', 'cancelled']),
  /** With the provider's ids names are shown by WeCom's own component (the server never learns them). */
  openData: z.object({ corpId: z.string(), agentId: z.int(), suiteId: z.string() }).nullable(),
  sync: z
    .object({
      id: idField('directorySync'),
      state: z.enum(['running', 'done', 'failed']),
      /** Members read so far, and who joined, went and moved. */
      members: z.int(),
      joined: z.int(),
      gone: z.int(),
      moved: z.int(),
      /** WeCom's code why it failed; `stopped` when it did not come to an end; `leavers_held` when they wait for a person. */
      code: z.string().nullable(),
      startedAtMs: instantField,
      doneAtMs: instantField.nullable(),
    })
    .nullable(),
  /** When the directory was last read to its end. */
  readAtMs: instantField.nullable(),
  /** Members present, and those among them who are on the company's staff list. */
  members: z.int(),
  onStaffList: z.int(),
  /** Members whom the last reading did not see and whose leaving a person must confirm. */
  held: z.int(),
  open: z.object({ joined: z.int(), left: z.int(), moved: z.int(), renamed: z.int(), second: z.int() }),
  departmentCount: z.int(),
  /** At most 500, by their numbers. A name is null where the app may not know it. */
  departments: z.array(z.object({ id: z.int(), parentId: z.int(), name: z.string().nullable() })),
})
export type DirectoryView = z.infer<typeof DirectoryView>

/** POST /hr/directory/sync: begins a reading; one that runs goes on. */
export const DirectorySyncBegun = z.object({ begun: z.boolean() })
/** POST /hr/directory/leavers: a person says that the held leavers of this reading have really left. */
export const ConfirmLeaversInput = z.object({ syncId: idField('directorySync') })

const DepartmentRef = z.object({ id: z.int(), name: z.string().nullable() })

/** GET /hr/directory/changes: differences that are open, newest first. */
export const DirectoryChangesInput = z.object({
  kind: z.enum(changeKinds).optional(),
  cursor: cursorField,
  limit: limitField,
})
export const DirectoryChangeView = z.object({
  id: idField('directoryChange'),
  kind: z.enum(changeKinds),
  /** As WeCom has it; of provider apps a cipher by which the component shows the name. */
  wecomUserId: z.string(),
  /** Null where only the component can show it. */
  name: z.string().nullable(),
  from: z.array(DepartmentRef),
  to: z.array(DepartmentRef),
  /** Who of our staff this is; null when nobody. */
  person: z
    .object({
      id: idField('person'),
      name: z.string(),
      department: z.string().nullable(),
      state: z.enum(['active', 'left']),
    })
    .nullable(),
  foundAtMs: instantField,
})
export type DirectoryChangeView = z.infer<typeof DirectoryChangeView>
export const DirectoryChanges = z.object({ changes: z.array(DirectoryChangeView), nextCursor: z.string().nullable() })
export type DirectoryChanges = z.infer<typeof DirectoryChanges>

const changeIds = z.array(idField('directoryChange')).min(1).max(200)
/** POST /hr/directory/changes/take-back: what settling these leavers would take back, computed now. */
export const TakeBackInput = z.object({ ids: changeIds })
export const TakeBackPreview = z.object({
  people: z.int(),
  /** Messages that are not sent any more or count as withdrawn. */
  deliveries: z.int(),
  /** Cards that nobody opened or used, and the value on them: they are frozen. */
  cards: z.int(),
  faceFen: fenField,
  /** Cards that stay with the person: opened, claimed or used. */
  keptCards: z.int(),
})
export type TakeBackPreview = z.infer<typeof TakeBackPreview>

/**
 * POST /hr/directory/changes/decide. `done` does what the difference asks for: of a leaver, the person has left and their
 * unopened cards are frozen; of a joiner, the person is on the staff list; of a move, the department is changed; another
 * account was taken over already; a second account takes the place of the person's first. `dismiss` changes nothing.
 */
export const DecideChangesInput = z.object({ decision: z.enum(['done', 'dismiss']), ids: changeIds })
export const DecidedChange = z.object({
  id: idField('directoryChange'),
  /** `not_open`: somebody was faster. `no_person`: WeCom's member is nobody of the staff list, there is nothing to take back. */
  outcome: z.enum(['done', 'dismissed', 'not_open', 'no_person', 'no_department', 'account_taken']),
  frozenCards: z.int(),
  frozenFen: fenField,
  /** Of somebody who is back: the cards that were frozen when they left, and the value on them. */
  returnedCards: z.int(),
  returnedFen: fenField,
})
export const DecidedChanges = z.object({ results: z.array(DecidedChange) })
export type DecidedChanges = z.infer<typeof DecidedChanges>

/** POST /hr/campaigns/:id/top-up, Idempotency-Key: a new draft with the same words and card for people who joined later. */
export const TopUpInput = z.object({ id: idField('campaign'), changeIds })
export const ToppedUp = z.object({ id: idField('campaign'), heads: z.int() })
export type ToppedUp = z.infer<typeof ToppedUp>
