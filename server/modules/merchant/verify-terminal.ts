import type { Id } from '../../../contract/ids.ts'
import { coalesce } from '../../kernel/coalesce.ts'
import type { Actor, Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import type { Credentials } from '../../kernel/http.ts'
import { isKept } from '../../kernel/once.ts'
import { change, readBound } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { CLOCK_MS, isSignedWith, readPosSignature, type PosRequest, type PosSignature } from './pos-signature.ts'
import { terminalSecretPlace } from './terminal-secret.ts'
import { useNonces, type UsedNonce } from './use-nonces.ts'

/** Below it terminals ask. */
export const POS_PATH = '/pos/'

/** Where all acts of tills keep their answers, for life: `<till>:<Idempotency-Key>`. */
export const TILL_KEYS = 'till'
/** What is posted below it is an act under a key. */
const ACTS_PATH = '/pos/v1/authorisations'

/** Our processes' clocks may differ by so much: until then a nonce is remembered beyond its time stamp's age. */
const MARGIN_MS = 60_000

type Read = Pick<Edge, 'read' | 'tx' | 'house' | 'clock' | 'random'>

/**
 * Tells which terminal signed a request; a request without a signature is from nobody. The key is read each time, so that a
 * revoked terminal, a closed shop and a suspended merchant count from the next request on. Refuses with
 * `pos_signature_invalid` alike for an unknown terminal, a wrong key and a changed request, `pos_nonce_used`, and to whom
 * the key belongs `terminal_off`, but for an act that was answered before: it may be asked about again for life.
 */
export function createTerminalCheck(edge: Read): (credentials: Credentials) => Promise<Actor> {
  const useNonce = coalesce<UsedNonce, boolean>({
    doMany: (nonces) => edge.tx((tx) => useNonces(tx, nonces)),
    most: 200,
    atOnce: 2,
    waiting: 10_000,
  })
  return async ({ method, path, url, headers, readBody }) => {
    if (headers['authorization'] === undefined) return { kind: 'anybody' }
    const said = readPosSignature(headers['authorization']) ?? refuse('pos_signature_invalid')
    const stampMs = Number(said.timestamp) * 1000
    if (Math.abs(edge.clock.now() - stampMs) > CLOCK_MS)
      refuse('pos_signature_invalid', { field: 'timestamp', detail: clockOff })
    const request = { method, url, body: await readBody() }
    const terminal = await edge.read((tx) => readSigner(tx, said, request))
    if (terminal === null) refuse('pos_signature_invalid')
    const { terminalId, nonce } = said
    if (!terminal.active) {
      const key = method === 'POST' && path.startsWith(ACTS_PATH) ? headers['idempotency-key'] : undefined
      if (key === undefined || !(await edge.read((tx) => isKept(tx, TILL_KEYS, `${terminalId}:${key}`))))
        refuse('terminal_off')
    }
    const token = edge.random(16).toString('hex')
    if (!(await useNonce({ terminalId, nonce, token, endsAtMs: stampMs + CLOCK_MS + MARGIN_MS })))
      refuse('pos_nonce_used')
    if (terminal.tookNewKey) await edge.tx((tx) => endOldKey(tx, terminalId, terminal.version))
    return { kind: 'terminal', merchantId: terminal.merchantId, shopId: terminal.shopId, terminalId }
  }
}

const clockOff = { zh: '时间戳与服务器相差超过 300 秒。', en: 'The timestamp is more than 300 seconds off.' }

interface TerminalRow {
  readonly merchantId: Id<'merchant'>
  readonly shopId: Id<'shop'>
  readonly secretSealed: Uint8Array
  readonly oldSecretSealed: Uint8Array | null
  readonly oldUntilMs: unknown
  readonly state: string
  readonly shopState: string
  readonly merchantState: string
  readonly version: unknown
}

interface Signer {
  readonly merchantId: Id<'merchant'>
  readonly shopId: Id<'shop'>
  readonly active: boolean
  /** It signed with its new key while the old one still stands. */
  readonly tookNewKey: boolean
  readonly version: number
}

async function readSigner(tx: Tx, said: PosSignature, request: PosRequest): Promise<Signer | null> {
  const id = said.terminalId
  const [row] = await readBound<TerminalRow>(
    tx.em,
    `select terminal.merchant_id as merchantId, terminal.shop_id as shopId, terminal.secret_sealed as secretSealed,
        terminal.old_secret_sealed as oldSecretSealed, terminal.old_until_ms as oldUntilMs, terminal.version as version,
        terminal.state as state, shop.state as shopState, merchant.state as merchantState
      from terminal join shop on shop.id = terminal.shop_id join merchant on merchant.id = terminal.merchant_id
      where terminal.id = ?`,
    [id],
  )
  const open = (which: 'secret' | 'old_secret', sealed: Uint8Array): string =>
    tx.house.seal.open(terminalSecretPlace(id, which), sealed)
  // For a terminal that does not exist the same is reckoned, with a key that nobody has.
  const byNew = isSignedWith(row ? open('secret', row.secretSealed) : 'nobody', request, said)
  if (row === undefined) return null
  const old = row.oldSecretSealed
  const byOld =
    !byNew &&
    old != null &&
    Number(row.oldUntilMs) > tx.clock.now() &&
    isSignedWith(open('old_secret', old), request, said)
  if (!byNew && !byOld) return null
  const { merchantId, shopId, state, shopState, merchantState } = row
  return {
    merchantId,
    shopId,
    active: state === 'active' && shopState === 'open' && merchantState === 'active',
    tookNewKey: byNew && old != null,
    version: Number(row.version),
  }
}

/** Whoever used the new key has it: the old one opens nothing any more. */
async function endOldKey(tx: Tx, terminalId: Id<'terminal'>, version: number): Promise<void> {
  const changed = await change(
    tx.em,
    'update terminal set old_secret_sealed = null, old_until_ms = null, version = version + 1 where id = ? and version = ?',
    [terminalId, version],
  )
  if (changed === 1) await trail(tx, { objectId: terminalId, act: 'terminal.old_key_ended' })
}
