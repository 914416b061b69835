import { shallowRef, type ShallowRef } from 'vue'
import { can, type Ability } from '../../contract/abilities.ts'
import type { OperatorSession } from '../../contract/operator/platform.ts'
import { get, send, signedOut, toApiProblem, type ApiProblem } from '../lib/api.ts'

/** Who is signed in; null until it is known. */
export const session: ShallowRef<OperatorSession | null> = shallowRef(null)
/** Why it could not be asked. */
export const sessionProblem: ShallowRef<ApiProblem | null> = shallowRef(null)

/** Asks once who is signed in. False only when nobody is; a server that cannot be reached is told by `sessionProblem`. */
export async function ensureSession(): Promise<boolean> {
  if (session.value !== null && !signedOut.value) return true
  try {
    session.value = await get<OperatorSession>('/operator/session')
    sessionProblem.value = null
    return true
  } catch (error) {
    const problem = toApiProblem(error)
    if (problem.status === 401) return false
    sessionProblem.value = problem
    return true
  }
}

/** Signs in by access key. The key is kept nowhere. Throws ApiProblem. */
export async function signIn(key: string): Promise<void> {
  session.value = await send<OperatorSession>('POST', '/operator/session', { key })
  sessionProblem.value = null
  signedOut.value = false
}

/** Signs this browser out. */
export async function signOut(): Promise<void> {
  await send('DELETE', '/operator/session').catch(() => undefined)
  session.value = null
}

/** Whether the operator may do this: for showing a page or saying whom to ask. */
export function may(ability: Ability): boolean {
  return can('operator', session.value?.roles ?? [], ability)
}
