// npm run openapi: writes docs/openapi.json from the endpoint records; --check fails when the file is not up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endpoints } from '../server/app.ts'
import { openApiOf } from '../server/kernel/openapi.ts'

const path = join(import.meta.dirname, '../docs/openapi.json')
const text = `${JSON.stringify(openApiOf(endpoints), null, 1)}\n`
if (!process.argv.includes('--check')) writeFileSync(path, text)
else if (readFileSync(path, 'utf8') !== text) {
  console.error('docs/openapi.json is not up to date: run npm run openapi')
  process.exitCode = 1
}
