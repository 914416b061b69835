import { expect, test } from 'vitest'
import type { Id } from '../contract/ids.ts'
import { reserveSends } from '../server/modules/delivery/reserve-sends.ts'
import { onBothDatabases } from '../server/testing/databases.ts'
import { testHouse } from '../server/testing/house.ts'
import { cardBody } from '../server/testing/wecom-box.ts'
import {
  approveForAll,
  openHeads,
  readFigures,
  ROUND_TRIP_MS,
  workToTheEnd,
  type HeadsFigures,
  type HeadsStage,
  type HeadsWish,
} from './heads.ts'

const MINUTE_MS = 60_000
const DAY_S = 24 * 3600
/** What WeCom allows an app for one API (protocols wecom 10). */
const MOST_CALLS = { minute: 10_000, hour: 150_000 }

interface Scenario extends HeadsWish {
  readonly name: string
  /** In a house that runs in production nothing is sent in minute 0 and 30. */
  readonly quiet?: boolean
  /** What happened before. */
  readonly before?: (stage: HeadsStage) => Promise<void>
  /** What happens after so many jobs. */
  readonly meanwhile?: (stage: HeadsStage, jobs: number) => void
  readonly expected: (figures: HeadsFigures) => void
}

const allSent = ({ heads, states }: HeadsFigures) => expect(states).toEqual({ sent: heads })
const within = (least: number, value: number, most: number) => {
  expect(value).toBeGreaterThanOrEqual(least)
  expect(value).toBeLessThanOrEqual(most)
}

const scenarios: readonly Scenario[] = [
  {
    name: 'the quota suffices: 10,000 heads are accepted within a minute',
    heads: 10_000,
    expected: (figures) => {
      allSent(figures)
      expect(figures.acceptedP95S).toBeLessThan(60)
    },
  },
  {
    name: 'the quota is enough for two fifths: the rest follows on the next two days of China',
    heads: 1_000,
    accounts: 2,
    expected: (figures) => {
      allSent(figures)
      expect(figures.acceptedP50S).toBeGreaterThan(DAY_S / 2 - 600)
      within(1.5 * DAY_S - 600, figures.acceptedP95S, 1.5 * DAY_S + 600)
    },
  },
  {
    name: 'some got 30 messages this minute: they wait for the next one, the others do not',
    heads: 1_000,
    before: (stage) => messagesBefore(stage, { people: 100, times: 30, everyMs: 1_000 }),
    expected: (figures) => {
      allSent(figures)
      expect(figures.acceptedP50S).toBeLessThan(60)
      within(30, figures.acceptedP95S, 180)
    },
  },
  {
    name: 'some got 1,000 messages this hour: they wait for the hour to pass',
    heads: 500,
    before: (stage) => messagesBefore(stage, { people: 2, times: 1_000, everyMs: 3_100 }),
    expected: (figures) => {
      allSent(figures)
      expect(figures.acceptedP95S).toBeLessThan(60)
      within(300, figures.acceptedMaxS, 1_200)
    },
  },
  ...[59, 29].map((minute): Scenario => ({
    name: `approved as minute ${minute} ends: nothing is sent in the next, which WeCom asks to avoid`,
    heads: 4_000,
    // So near to the end that four calls do not fit before it, however fast the machine is.
    minute: minute + 0.995,
    quiet: true,
    expected: (figures) => {
      allSent(figures)
      within(30, figures.acceptedMaxS, 90)
    },
  })),
  {
    name: 'approved in the middle of minute 30: everything waits for the next',
    heads: 2_000,
    minute: 30.5,
    quiet: true,
    expected: (figures) => {
      allSent(figures)
      expect(figures.acceptedP50S).toBeGreaterThan(30)
      expect(figures.acceptedP95S).toBeLessThan(60)
    },
  },
  {
    name: 'tokens end in the middle, and calls are refused, fail and lose their answers',
    heads: 4_000,
    before: async ({ box }) => {
      for (const errcode of [-1, 45009, 45033]) box.control.addFault({ path: 'message/send', kind: 'errcode', errcode })
      for (const kind of ['cut_after', 'status500_after', 'cut_before', 'status500_before'] as const)
        box.control.addFault({ path: 'message/send', kind, times: 2 })
    },
    meanwhile: ({ box }, jobs) => {
      if (jobs % 6 === 2) box.control.voidTokens()
      if (jobs % 6 === 5) box.control.expireTokens()
    },
    expected: (figures) => {
      allSent(figures)
      // One call was refused as one too many, and that is a wait of a minute.
      expect(figures.acceptedMaxS).toBeLessThan(120)
    },
  },
  {
    name: 'people are looked up by mobile, and some have no account',
    heads: 1_000,
    toLookUp: 600,
    unknown: 30,
    expected: ({ states, acceptedP95S }) => {
      expect(states).toEqual({ sent: 970, failed: 30 })
      expect(acceptedP95S).toBeLessThan(180)
    },
  },
  {
    name: 'people are looked up by mobile, and asking stops before WeCom does not know too many',
    heads: 1_000,
    toLookUp: 600,
    unknown: 300,
    expected: ({ heads, states: { sent = 0, failed = 0 } }) => {
      expect(sent + failed).toBe(heads)
      within(400, sent, 700)
    },
  },
]

/** Messages that the house sent to the first people of the list before, each counted and accepted. */
async function messagesBefore(
  { company, edge, time }: HeadsStage,
  { people, times, everyMs }: { people: number; times: number; everyMs: number },
): Promise<void> {
  const house = edge()
  const userIds = Array.from({ length: people }, (_, index) => `head${index}`)
  for (let message = 0; message < times; message += 1) {
    const id = `ntf_${String(message).padStart(13, '0')}` as Id<'notification'>
    const { taken } = await house.tx((tx) => reserveSends(tx, { companyId: company.id, id, userIds }))
    expect(taken).toHaveLength(people)
    await house.ports.wecom.send(company.wecom, cardBody(userIds.join('|'), `第 ${message} 条`, company.wecom))
    time.pass(everyMs - ROUND_TRIP_MS)
  }
}

/** By the sandbox's own log: no limit of an API passed, and nothing sent in minute 0 and 30. */
function checkLog({ box, company }: HeadsStage, quiet: boolean): void {
  const calls = box.companies.log({ corpId: company.wecom.corpId })
  for (const [api, own] of Map.groupBy(calls, (call) => call.api)) {
    const most = (windowMs: number): number =>
      Math.max(...[...Map.groupBy(own, ({ atMs }) => Math.floor(atMs / windowMs)).values()].map(({ length }) => length))
    expect({ api, fits: most(MINUTE_MS) <= MOST_CALLS.minute && most(60 * MINUTE_MS) <= MOST_CALLS.hour }).toEqual({
      api,
      fits: true,
    })
  }
  const sends = calls.filter(({ api }) => api === 'message/send')
  expect(sends.length).toBeGreaterThan(0)
  if (quiet) expect(sends.filter(({ atMs }) => Math.floor(atMs / MINUTE_MS) % 30 === 0)).toEqual([])
}

onBothDatabases('every head is accounted for', (database) => {
  test.each(scenarios)('$name', async ({ name: _name, quiet = false, before, meanwhile, expected, ...wish }) => {
    if (quiet) database.house = testHouse({ quietMinutes: true })
    const stage = await openHeads(database, wish)
    try {
      await before?.(stage)
      const campaign = await approveForAll(stage)
      await workToTheEnd(stage, campaign.id, (jobs) => meanwhile?.(stage, jobs))
      const figures = await readFigures(stage, campaign)
      expected(figures)
      expect(figures).toMatchObject({ dropped: 0, overQuota: 0, booksBalanced: true })
      // Each who was sent to has exactly one message of it.
      const received = stage.box.companies.received(stage.company.wecom.corpId, campaign.id)
      expect(received).toMatchObject({ 1: figures.states['sent'] })
      expect(Object.keys(received ?? {}).filter((messages) => Number(messages) > 1)).toEqual([])
      checkLog(stage, quiet)
    } finally {
      await stage.close()
    }
  })
})
