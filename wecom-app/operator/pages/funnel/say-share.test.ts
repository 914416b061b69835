import { expect, test } from 'vitest'
import { sayShare } from './say-share.ts'

test('a share has one place at the most, and of nothing there is none', () => {
  expect([sayShare(82, 100), sayShare(1, 3), sayShare(2, 3), sayShare(0, 5), sayShare(5, 0)]).toEqual([
    '82%',
    '33.3%',
    '66.7%',
    '0%',
    null,
  ])
})
