import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { EmployeeSession } from '../../contract/employee/pack.ts'
import type { StoreSession } from '../../contract/store/session.ts'
import type { z } from 'zod'
import { get, toApiProblem, type ApiProblem } from '../lib/api.ts'
import { timeZone } from '../lib/dates.ts'
import { isBuyers } from './audience.ts'
import { bridgeHere, storeSetting } from './bridge-here.ts'

/** `leaving`: on the way to WeCom's sign-in, or WeChat's. `closed`: nobody is signed in and we do not know whose page to ask. */
export type Gate = 'checking' | 'leaving' | 'closed' | 'failed' | 'open'

export const gate: Ref<Gate> = ref('checking')
/** Who is signed in on this phone; kept in memory only. */
export const session: ShallowRef<z.infer<typeof EmployeeSession> | null> = shallowRef(null)
/** Whether all of this is the sandbox's. */
export const sandbox: Ref<boolean> = ref(false)
/** Whether cards can be taken to Apple's Wallet. */
export const passes: Ref<boolean> = ref(false)
/** Why the server could not be asked. */
export const gateProblem: ShallowRef<ApiProblem | null> = shallowRef(null)
/** What the sign-in was refused with: a code of contract/error-codes.ts. */
export const refusedWith: Ref<string | null> = ref(null)

const companyKey = 'fulika.packCompany'
const leftKey = 'fulika.packLeftAt'
/** Coming back without a session within this time means that the browser keeps no cookies: asking again would go in circles. */
const TOO_SOON_MS = 20_000

/**
 * Lets a person in. An address with a company comes from a message: WeCom is asked, silently, whose phone this is, so
 * that on a shared phone nobody sees the cards of the one before. Otherwise the session that is there counts.
 */
export async function enter(): Promise<void> {
  gate.value = 'checking'
  const here = new URL(location.href)
  refusedWith.value = here.searchParams.get('problem')
  const given = here.searchParams.get('company')?.toLowerCase() ?? ''
  const company = /^[a-z0-9-]{2,32}$/.test(given) ? given : null
  if (refusedWith.value !== null) {
    if (company !== null) localStorage.setItem(companyKey, company)
    gate.value = 'closed'
  } else if (company !== null && !isBuyers) leave(company, here)
  else await askSession(here)
}

async function askSession(here: URL): Promise<void> {
  try {
    if (isBuyers) {
      const told = await get<StoreSession>('/store/session')
      if (!told.signedIn) return signInAgain(here)
      passes.value = told.passes
      void storeSetting().then(
        (setting) => (sandbox.value = setting.sandbox),
        () => undefined,
      )
    } else {
      session.value = await get<z.infer<typeof EmployeeSession>>('/employee/session')
      sandbox.value = session.value.sandbox
      passes.value = session.value.passes
      timeZone.value = session.value.timeZone
      localStorage.setItem(companyKey, session.value.companyCode)
    }
    gateProblem.value = null
    gate.value = 'open'
  } catch (error) {
    const problem = toApiProblem(error)
    if (problem.status === 401) return signInAgain(here)
    gateProblem.value = problem
    gate.value = 'failed'
  }
}

/** The company whose WeCom this phone used last; a code of the company, nothing about a person. */
export function knownCompany(): string | null {
  return session.value?.companyCode ?? localStorage.getItem(companyKey)
}

/** The session is over: signs in again without a word where that can be done, and comes back to this page. */
export function signInAgain(here: URL = new URL(location.href)): void {
  const company = knownCompany()
  const leftMs = Number(sessionStorage.getItem(leftKey) ?? 0)
  if ((company === null && !isBuyers) || Date.now() - leftMs < TOO_SOON_MS) gate.value = 'closed'
  else if (isBuyers) void leaveForWechat(here)
  else leave(company ?? '', here)
}

/** Only WeChat's client knows its person: anywhere else there is nobody to ask. */
async function leaveForWechat(here: URL): Promise<void> {
  gate.value = 'leaving'
  sessionStorage.setItem(leftKey, String(Date.now()))
  const outcome = (await bridgeHere())?.signIn(`${here.pathname}${here.search}`)
  if (outcome?.kind !== 'done') gate.value = 'closed'
}

function leave(company: string, here: URL): void {
  gate.value = 'leaving'
  for (const name of ['company', 'problem']) here.searchParams.delete(name)
  sessionStorage.setItem(leftKey, String(Date.now()))
  const back = encodeURIComponent(`${here.pathname}${here.search}`)
  location.replace(`/employee/sign-in/${encodeURIComponent(company)}?return=${back}`)
}
