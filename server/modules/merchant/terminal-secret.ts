import type { Id } from '../../../contract/ids.ts'
import type { House } from '../../kernel/house.ts'
import type { Place } from '../../kernel/seal.ts'

/** 256 bits, handed to a till's operator as base64url. */
export const SECRET_BYTES = 32
/** A till that takes its new key over at night still opens its shop the next morning. */
export const OLD_KEY_MS = 86_400_000
/** Whoever asked for a key gets it again when the answer was lost on its way; later nobody does. */
export const SHOWN_MS = 600_000

export const terminalSecretPlace = (terminalId: Id<'terminal'>, which: 'secret' | 'old_secret'): Place => ({
  table: 'terminal',
  column: `${which}_sealed`,
  rowId: terminalId,
})

export const webhookSecretPlace = (endpointId: Id<'webhookEndpoint'>): Place => ({
  table: 'webhook_endpoint',
  column: 'secret_sealed',
  rowId: endpointId,
})

/** The key of a terminal, sealed for its column. */
export const sealTerminalSecret = (
  house: Pick<House, 'seal'>,
  terminalId: Id<'terminal'>,
  which: 'secret' | 'old_secret',
  secret: string,
): Buffer => house.seal.seal(terminalSecretPlace(terminalId, which), secret)
