import { shallowRef, type ShallowRef } from 'vue'
import { can, type Ability } from '../../contract/abilities.ts'
import type { HrSession } from '../../contract/hr/session.ts'
import { get, signedOut, toApiProblem, type ApiProblem } from '../lib/api.ts'
import { timeZone } from '../lib/dates.ts'

/** Who is signed in; null until it is known. */
export const session: ShallowRef<HrSession | null> = shallowRef(null)
/** Why it could not be asked. */
export const sessionProblem: ShallowRef<ApiProblem | null> = shallowRef(null)

/** Asks once who is signed in. False only when nobody is; a server that cannot be reached is told by `sessionProblem`. */
export async function ensureSession(): Promise<boolean> {
  if (session.value !== null && !signedOut.value) return true
  try {
    session.value = await get<HrSession>('/hr/session')
    timeZone.value = session.value.company.timeZone
    sessionProblem.value = null
    signedOut.value = false
    return true
  } catch (error) {
    const problem = toApiProblem(error)
    if (problem.status === 401) return false
    sessionProblem.value = problem
    return true
  }
}

/** Whether the person signed in may do this: for showing a button or saying whom to ask. */
export function may(ability: Ability): boolean {
  return can('member', session.value?.member.roles ?? [], ability)
}

const codeKey = 'fulika.companyCode'

/** The company code that was used last on this machine. */
export function rememberedCode(): string {
  return localStorage.getItem(codeKey) ?? ''
}

/** Leaves for WeCom's sign-in and comes back to a page of the console. */
export function goToSignIn(code: string, returnTo: string): void {
  localStorage.setItem(codeKey, code)
  const back = `/console${returnTo.startsWith('/') ? returnTo : '/'}`
  location.assign(`/hr/sign-in/${encodeURIComponent(code)}?return=${encodeURIComponent(back)}`)
}
