import Database from 'better-sqlite3'

/**
 * Holds a SQLite file for one server process: an exclusive lock on a file beside it, which the operating system gives
 * back when the process ends, however it ends. Throws when another process holds it.
 */
export function lockSqlite(path: string): () => void {
  const lock = new Database(`${path}.lock`, { timeout: 0 })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error
    throw new Error('another server process uses this SQLite file; stop it, or use MariaDB for several processes', {
      cause: error,
    })
  }
  return () => void lock.close()
}
