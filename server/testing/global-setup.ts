import { provideMariadb } from '../../scripts/mariadb.ts'

/** Finds or starts the MariaDB for the run and hands its address to the test workers. */
export async function setup(): Promise<() => Promise<void>> {
  const mariadb = await provideMariadb({ scratch: true })
  if (mariadb) process.env['TEST_MYSQL_URL'] = mariadb.url
  return async () => mariadb?.stop()
}
