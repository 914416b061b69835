import type { CallbackKeys } from '../../../contract/hr/wecom.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { callbackPlace } from './connect-wecom.ts'
import { readConnection } from './read-wecom-app.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const [TOKEN_LENGTH, KEY_LENGTH] = [32, 43]

/**
 * Makes Token and EncodingAESKey for the callback of the acting company's app, keeps them sealed and shows them this
 * once, for a person to copy into WeCom's console. Refuses with `wecom_not_connected`, and with `state_conflict` for a
 * suite, whose callbacks are the platform's.
 */
export async function makeCallbackKeys(tx: Tx): Promise<CallbackKeys> {
  const companyId = companyOf(tx.actor)
  const facts = (await readConnection(tx, companyId)) ?? refuse('wecom_not_connected')
  if (facts.kind === 'third_party') refuse('state_conflict')
  const keys = { token: letters(tx, TOKEN_LENGTH), encodingAesKey: letters(tx, KEY_LENGTH) }
  const sealed = tx.house.seal.seal(callbackPlace(companyId), JSON.stringify(keys))
  await change(
    tx.em,
    'update wecom_connection set callback_sealed = ?, callback_seen_at_ms = null, changed_at_ms = ? where company_id = ?',
    [sealed, tx.clock.now(), companyId],
  )
  await trail(tx, { objectId: companyId, act: 'company.wecom_callback_keys' })
  return keys
}

/** Letters and digits, each as likely as any other: bytes beyond a whole number of alphabets are thrown away. */
function letters(tx: Tx, length: number): string {
  const most = 256 - (256 % LETTERS.length)
  let text = ''
  while (text.length < length)
    for (const byte of tx.random(length))
      if (byte < most && text.length < length) text += LETTERS[byte % LETTERS.length]
  return text
}
