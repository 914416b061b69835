/**
 * The product in a process of its own for `bench -- login`, with the companies that it is sent first. Answers `stale`
 * with the cookie of a sign-in that was begun too long ago, and anything else with what it has used so far.
 */
import { randomBytes } from 'node:crypto'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import { readConfig } from '../server/config.ts'
import { encodeSigned } from '../server/kernel/cookies.ts'
import { silentLog } from '../server/kernel/log.ts'
import { start } from '../server/main.ts'
import { findCompanyByCode } from '../server/modules/company/read-company.ts'
import { peakRssMiB } from './phases.ts'

export type LoginAsked = { readonly companies: unknown } | { readonly stale: string } | 'look'
/** A cookie as the house signs it, for a state of its own. */
export interface StaleCookie {
  readonly state: string
  readonly cookie: string
}
export interface LoginLook {
  readonly cpuSeconds: number
  readonly peakRssMiB: number
}

const running = await start(readConfig(process.env), silentLog())
const edge = running.open.edgeFor({ kind: 'system', name: 'bench' })

async function staleCookie(code: string): Promise<StaleCookie> {
  const company = await edge.read((tx) => findCompanyByCode(tx, code))
  if (company === null) throw new Error('no such company')
  const state = randomBytes(16).toString('hex')
  const pending = { state, companyId: company.id, audience: 'member', returnPath: '/console/', again: 0 }
  const text = encodeSigned('sign-in', { ...pending, expiresAtMs: Date.now() - 1 }, running.open.house.sessionKey)
  return { state, cookie: `fulika_sign_in_${state.slice(0, 8)}=${encodeURIComponent(text)}` }
}

function look(): LoginLook {
  const used = process.cpuUsage()
  return { cpuSeconds: (used.user + used.system) / 1e6, peakRssMiB: peakRssMiB() }
}

async function answer(asked: LoginAsked): Promise<object> {
  if (asked === 'look') return look()
  if ('stale' in asked) return staleCookie(asked.stale)
  return { applied: await applyPlatform(edge, PlatformFile.parse(asked.companies), false) }
}

process.on('message', (asked: LoginAsked) => void answer(asked).then((told) => process.send?.(told)))
process.once('disconnect', () => void running.stop().then(() => process.exit(0)))
process.send?.({ url: running.url })
