import { z } from 'zod'
import { idField } from '../../../contract/fields.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Scope, Tx } from '../../kernel/context.ts'
import { decodeSigned, encodeSigned } from '../../kernel/cookies.ts'
import { refuse } from '../../kernel/errors.ts'
import { useUp } from '../../kernel/once.ts'
import { trail } from '../../kernel/trail.ts'
import { holdCompany } from './hold-company.ts'
import { readCompany } from './read-company.ts'
import { readMemberActor } from './read-member-actor.ts'
import { readMembers } from './read-members.ts'
import { readConnection } from './read-wecom-app.ts'

export interface FirstSignInLink {
  /** Opens the console for whoever has it: shown once, written nowhere. */
  readonly url: string
  readonly memberName: string
  readonly expiresAtMs: number
}

/** What a link says. It is signed, so it is enough that it names ids; the nonce is what is spent. */
const Token = z.object({
  companyId: idField('company'),
  memberId: idField('member'),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  expiresAtMs: z.int(),
})

const LIFE_MS = 24 * 3_600_000
const NONCE_BYTES = 16
/** The purpose that the token is signed for, and the scope in which its nonce is spent. */
const PURPOSE = 'first-sign-in'

/**
 * Makes the link by which an administrator of a company that WeCom does not let in signs in once, within 24 hours: the
 * one who came first of those there are now. Refuses with `not_found`, `company_suspended`, `state_conflict` while the
 * connection works (who can sign in by WeCom shall), and `first_sign_in_nobody` without an administrator.
 */
export async function offerFirstSignIn(tx: Tx, companyId: Id<'company'>): Promise<FirstSignInLink> {
  const company = (await readCompany(tx, companyId)) ?? refuse('not_found')
  if (company.state !== 'active') refuse('company_suspended')
  if (await isConnected(tx, companyId)) refuse('state_conflict')
  const members = await readMembers(tx, companyId)
  const admin = members.find((one) => one.state === 'active' && one.roles.includes('admin'))
  if (admin === undefined) refuse('first_sign_in_nobody')
  const expiresAtMs = tx.clock.now() + LIFE_MS
  const nonce = tx.random(NONCE_BYTES).toString('hex')
  const token = encodeSigned(PURPOSE, { companyId, memberId: admin.id, nonce, expiresAtMs }, tx.house.sessionKey)
  await trail(tx, { objectId: admin.id, act: 'member.first_sign_in_offered' })
  return { url: `${tx.house.publicUrl}/console/first-sign-in#${token}`, memberName: admin.name, expiresAtMs }
}

/**
 * Spends the token of a link and tells who may be signed in with it; of any number at once exactly one. Refuses with
 * `first_sign_in_refused` whatever is wrong: forged, over, spent, the member removed or no administrator any more, the
 * company suspended, or its connection working by now.
 */
export async function takeFirstSignIn(
  tx: Tx,
  text: string,
): Promise<{ readonly companyId: Id<'company'>; readonly memberId: Id<'member'> }> {
  const { companyId, memberId, nonce } = readToken(tx, text)
  // A connection that is just being made ends the link or comes after it, never beside it.
  await holdCompany(tx, companyId)
  const actor = await readMemberActor(tx, companyId, memberId)
  if (!actor?.roles.includes('admin') || (await isConnected(tx, companyId))) refuse('first_sign_in_refused')
  const [first] = await useUp(tx, PURPOSE, [nonce])
  if (first !== true) refuse('first_sign_in_refused')
  await trail(tx, { objectId: memberId, act: 'member.first_signed_in' })
  return { companyId, memberId }
}

function readToken(scope: Scope, text: string): z.output<typeof Token> {
  const token = decodeSigned(PURPOSE, Token, text, scope.house.sessionKey)
  return token !== null && token.expiresAtMs > scope.clock.now() ? token : refuse('first_sign_in_refused')
}

async function isConnected(tx: Tx, companyId: Id<'company'>): Promise<boolean> {
  return (await readConnection(tx, companyId))?.state === 'active'
}
