import { addressOf, appRoute, openRoute, queryOf, type Answer, type ApiRoute, type Call } from './gate.ts'
import { corpBehind } from './outer-ids.ts'
import { corpOf, type Corp, type TokenOwner, type WecomState } from './state.ts'
import { issueToken } from './tokens.ts'

const BLOCK_MS = 3_600_000
/** Where the sandbox listens, and where its callbacks come from (protocol sheet 1.2). */
const OWN_ADDRESSES = ['127.0.0.1']

/** gettoken for self-built and customised apps and for the contact-sync secret (protocol sheet 1.1), and addresses (1.2). */
export const tokenRoutes: readonly ApiRoute[] = [
  openRoute('GET', '/gettoken', getToken),
  appRoute('GET', '/get_api_domain_ip', () => ({ errcode: 0, ip_list: OWN_ADDRESSES })),
  appRoute('GET', '/getcallbackip', () => ({ errcode: 0, ip_list: OWN_ADDRESSES })),
]

function getToken({ state, ctx }: Call): Answer {
  const [corpId, secret] = [queryOf(ctx, 'corpid'), queryOf(ctx, 'corpsecret')]
  const corp = corpOf(state, corpId) ?? corpOfCipher(state, corpId)
  if (corp) corp.stats.gettoken += 1
  if (corpId === '') return { errcode: 41002 }
  if (secret === '') return { errcode: 41004 }
  const address = addressOf(ctx)
  if (state.now() < (state.wrongSecrets.get(address)?.blockedUntilMs ?? 0)) return { errcode: 45009 }
  if (state.outer.suites.deadCodes.has(secret)) return { errcode: 40084 }
  const owner = corp ? ownerOf(corp, secret) : 40013
  if (typeof owner !== 'number') return { errcode: 0, ...issueToken(state, owner) }
  if (owner === 40001 || owner === 40013) countWrong(state, address)
  return { errcode: owner }
}

/** A customised app names its company by the cipher of its provider. */
function corpOfCipher(state: WecomState, corpId: string): Corp | undefined {
  for (const provider of state.outer.suites.providers.keys()) {
    const corp = corpBehind(state, provider, corpId)
    if (corp) return corp
  }
  return undefined
}

/** Who has this secret in a company. A third-party app's permanent code is not for this call (48002). */
function ownerOf(corp: Corp, secret: string): TokenOwner | number {
  if (corp.contactSecret === secret) return { kind: 'contact', corpId: corp.corpId }
  const app = [...corp.apps.values()].find((one) => one.secret === secret)
  if (!app) return 40001
  if (app.kind === 'third_party') return 48002
  if (!app.on) return 50003
  return { kind: 'app', corpId: corp.corpId, agentId: app.agentId }
}

/** After some wrong ones within an hour the caller's address is shut out for one, whichever companies they were for. */
function countWrong(state: WecomState, address: string): void {
  const now = state.now()
  const before = state.wrongSecrets.get(address)
  const going = before && now < before.firstAtMs + BLOCK_MS ? before : { count: 0, firstAtMs: now, blockedUntilMs: 0 }
  const full = going.count + 1 >= state.settings.wrongSecrets
  const after = full
    ? { count: 0, firstAtMs: now, blockedUntilMs: now + BLOCK_MS }
    : { ...going, count: going.count + 1 }
  state.wrongSecrets.set(address, after)
}
