// npm run setup -- --operator NAME: a production start. Makes the key ring outside the database when there is none,
// brings the database up to date, and makes the first platform operator; prints the operator's access key once.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigProblems, readConfig, writeKeyRing } from '../server/config.ts'
import { openHouse } from '../server/house.ts'
import { createLog } from '../server/kernel/log.ts'
import { sql } from '../server/kernel/sql.ts'
import { createOperator } from '../server/modules/company/create-operator.ts'

const at = process.argv.indexOf('--operator')
const name = at < 0 ? undefined : process.argv[at + 1]
if (name === undefined || name.trim() === '') {
  console.error('usage: npm run setup -- --operator NAME')
  process.exit(2)
}

async function setup(operatorName: string): Promise<void> {
  const path = process.env['FULIKA_KEY_RING_FILE'] ?? join(process.env['FULIKA_DATA_DIR'] ?? 'data', 'key-ring.json')
  if (process.env['FULIKA_KEY_RING'] === undefined && !existsSync(path)) {
    writeKeyRing(path)
    console.log(`key ring written to ${path} (mode 0600): back it up apart from the database; without it nothing opens`)
  }
  const config = readConfig(process.env)
  const open = await openHouse(config, { log: createLog({ level: 'error' }), outside: null })
  try {
    const key = randomBytes(32).toString('base64url')
    const edge = open.edgeFor({ kind: 'system', name: 'setup' })
    const made = await edge.tx(async (tx) => {
      const known = await sql(tx.em, "select id from operator where state = 'active' limit 1")
      if (known.length > 0) return null
      return createOperator(tx, { name: operatorName, roles: ['ops', 'risk', 'finance', 'admin'], key })
    })
    if (made === null) console.log('the database is up to date; there is an operator already')
    else console.log(`operator ${operatorName} made; the access key, shown this once: ${key}`)
  } finally {
    await open.close()
  }
}

setup(name).catch((error: unknown) => {
  if (error instanceof ConfigProblems) for (const problem of error.problems) console.error(problem)
  else console.error(error instanceof Error ? error.message : error)
  process.exitCode = 78
})
