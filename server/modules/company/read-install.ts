import { z } from 'zod'
import { idField } from '../../../contract/fields.ts'
import type { Tx } from '../../kernel/context.ts'
import { once } from '../../kernel/once.ts'
import { sql } from '../../kernel/sql.ts'

const InstallIntent = z.object({
  companyId: idField('company'),
  memberId: idField('member'),
  suiteId: z.string(),
  beganAtMs: z.int(),
})
/** Who began an install from our site, and of what. */
export type InstallIntent = z.output<typeof InstallIntent>

/** Longer than an install takes: a pre-auth code lives 20 minutes and its auth code 10. */
const INSTALL_MS = 40 * 60_000

/** The install that was begun with this state; null when there was none, or when it was too long ago. */
export async function readInstall(tx: Tx, state: string | null): Promise<InstallIntent | null> {
  if (state === null || !/^[0-9a-f]{32}$/.test(state)) return null
  const [row] = await sql<{ answer: string | null }>(
    tx.em,
    "select answer from once_key where scope = 'wecom-install' and once_key = ?",
    [state],
  )
  const intent = InstallIntent.safeParse(JSON.parse(row?.answer ?? 'null'))
  return intent.success && intent.data.beganAtMs > tx.clock.now() - INSTALL_MS ? intent.data : null
}

/** A state comes back to us once, in whatever process. False when it did before. */
export async function spendInstall(tx: Tx, state: string): Promise<boolean> {
  let first = false
  await once(tx, 'wecom-install-spent', state, {}, async () => {
    first = true
    return null
  })
  return first
}
