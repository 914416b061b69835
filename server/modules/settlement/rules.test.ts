import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fen, sumFen } from '../../../contract/fen.ts'
import { nextWork, type NextOf, type TriedReceiver } from './next-work.ts'
import {
  feeOf,
  nextPollMs,
  reactTo,
  safeCell,
  shareCap,
  sumShares,
  takeShares,
  targetsOf,
  type Target,
  type TargetsOf,
} from './rules.ts'

const channel = (code: string, mchid: string, bp: number) => ({ code, name: code, mchid, bp })
const facts: TargetsOf = {
  brandId: 'brd_1',
  terms: {
    collector: 'brand',
    platformBp: 500,
    channels: [channel('a', '19001', 300), channel('b', '19002', 200)],
    maxRatioBp: 3_000,
  },
  cut: { platformFen: fen(500), channelFen: [fen(300), fen(200)] },
  nets: [fen(10_000)],
  index: 0,
  netFen: fen(10_000),
  feeFen: fen(60),
  mchid: '19000',
  platformMchid: '19009',
  brandMchid: '19000',
}
const told = (targets: readonly Target[]) =>
  targets.map(({ account, shares }) => [account, ...shares.map((share) => share.fen)].join(' '))

test('channels and platform receive what is theirs of one transaction; a merchant with two roles is one receiver', () => {
  expect(told(targetsOf(facts))).toEqual(['19001 300', '19002 200', '19009 500'])
  const { terms } = facts
  const shared = { ...terms, channels: [channel('a', '19009', 300), channel('b', '19009', 200)] }
  expect(told(targetsOf({ ...facts, terms: shared }))).toEqual(['19009 300 200 500'])
})

test('who collects, and who has no merchant, receives nothing by sharing', () => {
  const terms = { ...facts.terms, channels: [channel('a', '19000', 300), channel('b', '', 200)] }
  expect(told(targetsOf({ ...facts, terms, platformMchid: null }))).toEqual([])
})

test('where we collect, the brand receives all but the others’ parts, never more than the cap leaves', () => {
  const ours = {
    ...facts,
    mchid: '19009',
    terms: { ...facts.terms, collector: 'platform' as const, maxRatioBp: 9_500 },
  }
  const brandMchid = '19005'
  expect(told(targetsOf({ ...ours, brandMchid }))).toEqual(['19001 300', '19002 200', '19005 9000'])
  const tight = { ...ours.terms, maxRatioBp: 10_000, platformBp: 0 }
  const all = targetsOf({ ...ours, brandMchid, terms: tight, cut: { ...facts.cut, platformFen: fen(0) } })
  expect(sumFen(all.map((target) => sumShares(target.shares)))).toBe(9_940)
})

test('the parts of all payments of an order sum to what each is owed, whatever was paid by which', () => {
  const money = fc.nat(1_000_000)
  fc.assert(
    fc.property(fc.array(money, { minLength: 1, maxLength: 8 }), fc.nat(3_000), (nets, bp) => {
      const total = nets.reduce((sum, net) => sum + net, 0)
      const platformFen = fen(Math.floor((total * bp) / 10_000))
      const cut = { platformFen, channelFen: [fen(0), fen(0)] }
      const shared = nets.map((net, index) => {
        const of = { ...facts, cut, nets: nets.map((one) => fen(one)), index, netFen: fen(net), feeFen: fen(0) }
        const targets = targetsOf({ ...of, terms: { ...facts.terms, maxRatioBp: 10_000 } })
        return sumFen(targets.map((target) => sumShares(target.shares)))
      })
      expect(sumFen(shared)).toBe(platformFen)
    }),
  )
})

test('the cap is rounded down and never reaches into the fee', () => {
  expect(shareCap(fen(9_999), fen(60), 3_000)).toBe(2_999)
  expect(shareCap(fen(690), fen(4), 10_000)).toBe(686)
  expect(shareCap(fen(3), fen(4), 10_000)).toBe(0)
})

test('pieces of shares never overlap and together are the whole', () => {
  const shares = [
    { payee: 'a', fen: fen(300) },
    { payee: 'b', fen: fen(200) },
  ]
  expect(takeShares(shares, 0, 500)).toEqual(shares)
  expect(takeShares(shares, 250, 100)).toEqual([
    { payee: 'a', fen: 50 },
    { payee: 'b', fen: 50 },
  ])
  fc.assert(
    fc.property(fc.array(fc.nat(500), { maxLength: 6 }), (cuts) => {
      const points = [0, ...cuts.sort((a, b) => a - b), 500]
      const pieces = points.slice(1).flatMap((to, index) => takeShares(shares, points[index]!, to - points[index]!))
      const of = (payee: string) => sumFen(pieces.filter((one) => one.payee === payee).map((one) => one.fen))
      expect([of('a'), of('b')]).toEqual([300, 200])
    }),
  )
})

test('a fee is rounded half up; polls are dense at first and hourly in the end; no cell is a formula', () => {
  expect([83, 84, 250, 10_000].map((amount) => feeOf(fen(amount), 60))).toEqual([0, 1, 2, 60])
  expect([0, 1, 2, 3, 4, 15, 27, 35, 99].map(nextPollMs)).toEqual(
    [10, 30, 60, 120, 300, 600, 1_800, 3_600, 3_600].map((s) => s * 1_000),
  )
  // Whenever a share ends, it is seen soon after: the wait is never more than a quarter of its age, or five minutes.
  let ageMs = 0
  for (let polls = 0; ageMs < 5 * 3_600_000; polls += 1) {
    expect(nextPollMs(polls)).toBeLessThanOrEqual(Math.max(300_000, ageMs / 4))
    ageMs += nextPollMs(polls)
  }
  const looks = (untilMs: number) => {
    let [at, count] = [0, 0]
    while ((at += nextPollMs(count)) <= untilMs) count += 1
    return count
  }
  expect([looks(1_800_000), looks(3_600_000), looks(86_400_000)]).toEqual([9, 15, 52])
  expect(['=1+1', ' @x', '+86', '青禾\r\n,"a"'].map(safeCell)).toEqual(["'=1+1", "'@x", "'+86", '青禾 ,"a"'])
})

const target = (account: string, amount: number): Target => ({
  account,
  party: 'channel',
  relation: 'DISTRIBUTOR',
  shares: [{ payee: account, fen: fen(amount) }],
})
const closed = (account: string, failReason: string, finishedAtMs = 0): TriedReceiver => ({
  account,
  amountFen: 100,
  state: 'closed',
  failReason,
  finishedAtMs,
})
const next = (more: Partial<NextOf>) =>
  nextWork({
    targets: [target('a', 100)],
    tried: [],
    verdicts: {},
    roomFen: 1_000,
    callsMade: 0,
    nowMs: 10,
    ...more,
  })

test('receivers go fifty to a call, within what may still be shared and the calls that are left', () => {
  const many = Array.from({ length: 120 }, (_, index) => target(`m${index}`, 10))
  const { work } = next({ targets: many, roomFen: 1_105 })
  if (work.kind !== 'share') throw new Error(work.kind)
  expect(work.calls.map((call) => call.length)).toEqual([50, 50, 11])
  expect(work.calls.at(-1)!.at(-1)!.amountFen).toBe(5)
  expect(next({ targets: many, callsMade: 48 }).work).toMatchObject({ calls: [expect.anything()] })
  expect(next({ targets: many, callsMade: 49 }).work).toEqual({ kind: 'unfreeze' })
  expect(next({ roomFen: 0 }).work).toEqual({ kind: 'unfreeze' })
})

test('a refusal decides what comes next: later, with other words, a person, or a payout', () => {
  expect(next({ tried: [closed('a', 'ACCOUNT_ABNORMAL', 5)] }).work).toEqual({ kind: 'wait', untilMs: 3_600_005 })
  expect(next({ tried: [closed('a', 'NO_AUTH')] }).work).toEqual({ kind: 'stuck', reason: 'NO_AUTH' })
  expect(next({ tried: [closed('a', 'RECEIVER_HIGH_RISK')] })).toEqual({
    work: { kind: 'unfreeze' },
    givenUp: { a: 'RECEIVER_HIGH_RISK' },
  })
  const words = next({ tried: [closed('a', 'INVALID_REQUEST')], nowMs: 2_000 }).work
  expect(words).toMatchObject({ kind: 'share', calls: [[{ account: 'a', plain: true }]] })
  const often = Array.from({ length: 4 }, () => closed('a', 'ACCOUNT_ABNORMAL'))
  expect(next({ tried: often, nowMs: 1e9 }).work).toEqual({ kind: 'stuck', reason: 'ACCOUNT_ABNORMAL' })
  expect(next({ tried: often, nowMs: 1e9, verdicts: { a: { reason: null, forgiven: 4 } } }).work.kind).toBe('share')
  expect(next({ verdicts: { a: { reason: 'person', forgiven: 0 } } }).work).toEqual({ kind: 'unfreeze' })
  expect(reactTo('SOMETHING_NEW', 1)).toEqual({ kind: 'person' })
})

test('who can be paid now is paid before anybody waits or is looked at', () => {
  const targets = [target('a', 100), target('b', 100), target('c', 100)]
  const tried = [closed('a', 'NO_AUTH'), closed('b', 'ACCOUNT_ABNORMAL', 5)]
  expect(next({ targets, tried }).work).toMatchObject({ kind: 'share', calls: [[{ account: 'c' }]] })
  const done = { account: 'c', amountFen: 100, state: 'success' as const, failReason: null, finishedAtMs: 1 }
  expect(next({ targets, tried: [...tried, done] }).work.kind).toBe('wait')
})
