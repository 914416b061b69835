import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { freshMysqlUrl } from '../server/testing/databases.ts'
import { crashRound, isClean, type Killer } from './crash-round.ts'
import { beside, endLeases, FACE_FEN, openCrashStage, type CrashStage } from './crash-stage.ts'
import { dialectsHere } from './stage.ts'
import * as step from './steps.ts'

/** Accounts of the company, each good for 200 messages a day: less than two campaigns for everybody. */
const ACCOUNTS = 20
const QUOTA = ACCOUNTS * 200
const HEADS = 3000

describe.runIf(dialectsHere().includes('mysql'))('one web process and two workers on MariaDB', () => {
  test('share the work; a worker that is killed, or told to stop, leaves nothing undone and nothing done twice', async () => {
    const mysql = await freshMysqlUrl(process.env['TEST_MYSQL_URL'] ?? '')
    const stage = await openCrashStage({ databaseUrl: mysql.url, heads: HEADS, rounds: 3, workers: 2 })
    try {
      const [worker] = stage.workers
      if (worker === undefined) throw new Error('no worker of its own')
      const killed: Killer = {
        // The other worker's leases are ended as well: it works on beside whoever takes its jobs.
        kill: async () => {
          await worker.kill()
          await endLeases(stage)
        },
        revive: () => worker.restart(),
      }
      const stopped: Killer = { kill: () => worker.end(), revive: () => worker.restart() }
      expect(await crashRound(stage, '两个一起', killed, [])).toSatisfy(isClean)
      expect(await crashRound(stage, '杀掉一个', killed, [100 + Math.random() * 400])).toSatisfy(isClean)
      expect(await crashRound(stage, '停下一个', stopped, [100 + Math.random() * 400])).toSatisfy(isClean)
      const numbers = await beside(stage, (tx) =>
        sql<{ n: unknown }>(tx.em, 'select count(*) as n from worker where lease_until_ms > ?', [Date.now()]),
      )
      expect(Number(numbers[0]?.n)).toBeGreaterThanOrEqual(3)
      const wecom = await step.control<{ gettoken: number }>(`${stage.wecomUrl}/__ctl/stats/${stage.corp.corpId}`)
      // One token for all of them, whoever was killed or started meanwhile.
      expect(wecom.gettoken).toBe(1)
    } finally {
      await stage.close()
      await mysql.drop()
    }
  })

  test('share the limits of WeCom: 36 campaigns for three people at once, and then two for more than the day has', async () => {
    const mysql = await freshMysqlUrl(process.env['TEST_MYSQL_URL'] ?? '')
    const stage = await openCrashStage({
      databaseUrl: mysql.url,
      heads: HEADS,
      rounds: 3,
      workers: 2,
      accounts: ACCOUNTS,
    })
    try {
      const three = stage.people.slice(0, 3)
      const few = await step.uploadRoster(
        stage.hr,
        'three.csv',
        Buffer.from(['姓名,企业微信账号', ...three.map(({ userid }) => `员工,${userid}`)].join('\n')),
      )
      await step.waitRoster(stage.hr, few, ['ready'])
      await step.applyRoster(stage.hr, few)
      await payAll(stage, few, 36)
      await settled(stage, 36 * three.length)
      const windows = await sandboxOf(stage)
      expect(windows).toMatchObject({ dropped: 0, refused: 0 })
      // 30 a minute and no more, whichever of the two sent them; the rest waits for its window.
      for (const { userid } of three) expect(await inboxOf(stage, userid)).toBe(30)

      await payAll(stage, stage.rosterId, 2)
      const states = await settled(stage, 36 * three.length + 2 * HEADS)
      expect(await sandboxOf(stage)).toEqual({ delivered: QUOTA, dropped: 0, refused: 0 })
      expect(states.find(({ waitsFor }) => waitsFor === 'day_quota')).toMatchObject({ state: 'planned' })
      const days = await beside(stage, (tx) => sql(tx.em, 'select used, quota from send_day where used > 0'))
      expect(days).toEqual([{ used: QUOTA, quota: QUOTA }])
      expect(await beside(stage, proveBooks)).toEqual([])
    } finally {
      await stage.close()
      await mysql.drop()
    }
  })

  test('ask once with a secret that is wrong by now, and no more', async () => {
    const mysql = await freshMysqlUrl(process.env['TEST_MYSQL_URL'] ?? '')
    const stage = await openCrashStage({ databaseUrl: mysql.url, heads: HEADS, rounds: 2, workers: 2 })
    try {
      expect(await crashRound(stage, '先发一次', { kill: nothing, revive: nothing }, [])).toSatisfy(isClean)
      const { corpId, agentId } = stage.corp
      await step.control(`${stage.wecomUrl}/__ctl/apps`, { corpId, agentId, secret: 'another by now' })
      await payAll(stage, stage.rosterId, 1)
      const states = await settled(stage, 2 * HEADS)
      expect(states).toContainEqual({ state: 'failed', reason: 'app_not_connected', waitsFor: null, heads: HEADS })
      const { calls } = await step.control<{ calls: { errcode: number }[] }>(`${stage.wecomUrl}/__ctl/log?api=gettoken`)
      expect(calls.map(({ errcode }) => errcode)).toEqual([0, 40001])
    } finally {
      await stage.close()
      await mysql.drop()
    }
  })
})

const nothing = async (): Promise<void> => undefined

/** So many campaigns for a list, approved, and then paid as fast as it goes. */
async function payAll(stage: CrashStage, rosterId: string, campaigns: number): Promise<void> {
  const orders: string[] = []
  const wish = { rosterId, amountFrom: 'same', faceFen: FACE_FEN } as const
  for (let i = 0; i < campaigns; i += 1) {
    const id = await step.draftCampaign(stage.hr, { ...wish, title: `第 ${i + 1} 个` })
    orders.push((await step.submitAndApprove(stage.hr, stage.approver, id)).orderId)
  }
  for (const orderId of orders) {
    const { totalFen } = await step.readOrder(stage.finance, orderId)
    await step.openPayment(stage.finance, orderId, 'wallet', totalFen)
  }
}

/** Waits until so many heads are sent to, have failed, or wait for a limit of WeCom; how many are where. */
async function settled(stage: CrashStage, heads: number) {
  const deadline = Date.now() + 120_000
  for (;;) {
    const rows = await beside(stage, (tx) =>
      sql<{ state: string; reason: string | null; waitsFor: string | null; heads: unknown }>(
        tx.em,
        'select state, reason, waits_for as waitsFor, count(*) as heads from delivery group by state, reason, waits_for',
      ),
    )
    const states = rows.map((row) => ({ ...row, heads: Number(row.heads) }))
    const still = states.filter((row) => ['sent', 'failed'].includes(row.state) || row.waitsFor !== null)
    if (still.reduce((sum, row) => sum + row.heads, 0) === heads) return states
    if (Date.now() > deadline) throw new Error(`it does not settle: ${JSON.stringify(states)}`)
    await sleep(200)
  }
}

/** What the sandbox laid into chats, dropped silently, and refused because a limit was passed. */
async function sandboxOf({ wecomUrl, corp: { corpId } }: CrashStage) {
  const { delivered, dropped } = await step.control<Record<'delivered' | 'dropped', number>>(
    `${wecomUrl}/__ctl/stats/${corpId}`,
  )
  const { calls } = await step.control<{ calls: { errcode: number }[] }>(`${wecomUrl}/__ctl/log?corpId=${corpId}`)
  return { delivered, dropped, refused: calls.filter(({ errcode }) => errcode === 45009).length }
}

async function inboxOf({ wecomUrl, corp }: CrashStage, userid: string): Promise<number> {
  return (await step.control<unknown[]>(`${wecomUrl}/__ctl/inbox/${corp.corpId}/${userid}`)).length
}
