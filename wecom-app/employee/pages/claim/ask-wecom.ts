import type { z } from 'zod'
import type { EmployeeSession } from '../../../../contract/employee/pack.ts'
import { get, toApiProblem } from '../../../lib/api.ts'
import { channel } from '../../../lib/bridge/channel.ts'

const askedKey = 'fulika.claimAsked'

/**
 * In WeCom's or WeChat's browser, has WeCom say silently whose phone this is, once a page: a member of the company goes
 * straight to the pack. True while the browser leaves. Coming back by the phone's back button shows the form.
 */
export function askWecom(companyCode: string, token: string): boolean {
  if (channel() === 'browser') return false
  if (sessionStorage.getItem(askedKey) === token) return false
  sessionStorage.setItem(askedKey, token)
  const here = new URL(location.href)
  here.searchParams.set('from', 'wecom')
  const back = encodeURIComponent(`${here.pathname}${here.search}`)
  location.replace(`/employee/sign-in/${encodeURIComponent(companyCode)}?return=${back}`)
  return true
}

/** Whether somebody is signed in on this phone. */
export async function hasSession(): Promise<boolean> {
  try {
    await get<z.infer<typeof EmployeeSession>>('/employee/session')
    return true
  } catch (error) {
    if (toApiProblem(error).status === 401) return false
    throw error
  }
}
