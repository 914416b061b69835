import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { approveForAll, openHeads, readFigures, workToTheEnd } from '../e2e/heads.ts'
import { provideMariadb } from '../scripts/mariadb.ts'
import { freshMysqlUrl, openTestDatabase } from '../server/testing/databases.ts'

/**
 * One campaign for so many heads against the sandbox with its limits on, from the approval to WeCom's answer, in virtual
 * time: waiting is skipped, a call takes its stated round trip, and the house's own work takes what it really takes.
 */
export async function benchHeads(
  heads: number,
  dialect: 'mysql' | 'sqlite',
  say: (line: string) => void,
): Promise<object> {
  const ground = await groundOf(dialect)
  try {
    const database = await openTestDatabase(dialect, ground.url)
    say(`${heads} people and their WeCom`)
    const stage = await openHeads(database, { heads, measured: true })
    try {
      say('approving, paying, issuing, sending')
      const campaign = await approveForAll(stage)
      await workToTheEnd(stage, campaign.id)
      return await readFigures(stage, campaign)
    } finally {
      await stage.close()
      await database.store.close()
    }
  } finally {
    await ground.remove()
  }
}

/** An empty database of its own; the caller removes it. */
export async function groundOf(dialect: 'mysql' | 'sqlite'): Promise<{ url: string; remove: () => Promise<void> }> {
  if (dialect === 'mysql') {
    const server = await provideMariadb({ private: true })
    if (server === null) throw new Error('no MariaDB to be had')
    return { url: (await freshMysqlUrl(server.url)).url, remove: () => server.stop() }
  }
  const folder = mkdtempSync(join(tmpdir(), 'fulika-heads-'))
  return { url: join(folder, 'heads.sqlite'), remove: async () => rmSync(folder, { recursive: true }) }
}
