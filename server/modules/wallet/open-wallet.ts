import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'

/** Digits and capitals without 0, 1, I, L and O: nobody mistakes one for another on a bank form. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const LENGTH = 8
const TRIES = 5

/** Opens a company's wallet at 0 fen, or finds the one it has. Returns the reference to write on a transfer. */
export async function openWallet(tx: Tx, companyId: Id<'company'>): Promise<string> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const fresh = { company_id: companyId, balance_fen: 0, version: 1, reference: newReference(tx.random) }
    await insertIgnore(tx.em, 'wallet', [fresh])
    const [row] = await sql<{ reference: string }>(tx.em, 'select reference from wallet where company_id = ?', [
      companyId,
    ])
    if (row) return row.reference
  }
  throw new Error('wallet: no free reference found')
}

/** `FLKW` and 8 characters, each equally likely: bytes that would favour some characters are thrown away. */
function newReference(random: Tx['random']): string {
  const fair = 256 - (256 % ALPHABET.length)
  let text = ''
  while (text.length < LENGTH)
    for (const byte of random(LENGTH * 2))
      if (byte < fair && text.length < LENGTH) text += ALPHABET[byte % ALPHABET.length]!
  return `FLKW${text}`
}
