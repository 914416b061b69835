import { expect, test } from 'vitest'
import { createLog, Secret } from './log.ts'

function linesOf(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  write(createLog({ level: 'debug', stream: { write: (line: string) => void lines.push(line) } }))
  return lines.join('')
}

test('an error is told with its message and cause, but without the statement and the values a driver hangs on it', () => {
  const driver = Object.assign(new Error('no such table'), {
    sql: "insert into person values ('张三')",
    parameters: ['张三'],
  })
  const told = linesOf((log) => log.error({ err: Object.assign(driver, { code: 'ER_1' }) }, 'failed'))
  expect(told).toContain('no such table')
  expect(told).toContain('ER_1')
  expect(told).not.toContain('张三')
})

test('secrets and named personal fields are three stars, also within objects and children', () => {
  const told = linesOf((log) => {
    const fields = { secret: 'aaa1', a: { mobile: 'aaa2', b: { userid: 'aaa3' } }, key: new Secret('aaa4') }
    log.child({ token: 'aaa5' }).debug(fields, `with ${String(new Secret('aaa6'))}`)
  })
  expect(told).toContain('***')
  expect(told).not.toMatch(/aaa\d/)
})
