import { expect, test } from 'vitest'
import { errorCodes } from './error-codes.ts'

test.each(Object.entries(errorCodes))('%s says in both languages what happened and what to do', (_, { zh, en }) => {
  expect(zh).toMatch(/^[^。]*请[^。]+。$/)
  expect(en).toMatch(/^[A-Z].+\.$/)
})
