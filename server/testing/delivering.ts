import { afterEach, beforeEach } from 'vitest'
import type { Id } from '../../contract/ids.ts'
import { workOnce } from '../../jobs/worker.ts'
import { startWecomSandbox, type WecomSandbox } from '../../sandbox/wecom/server.ts'
import type { Ports } from '../channels/ports.ts'
import type { Actor, Edge } from '../kernel/context.ts'
import { change, sql } from '../kernel/sql.ts'
import { deliverAgain, deliverCards } from '../modules/delivery/deliver-cards.ts'
import { readDeliveryCounts } from '../modules/delivery/read-deliveries.ts'
import { planFailed } from '../modules/delivery/resend-deliveries.ts'
import { sendBatch } from '../modules/delivery/send-batch.ts'
import { anIssuedCampaign, somePeople, type TestPerson } from './campaigns.ts'
import { aCompany, type TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'
import { wecomOf } from './wecom.ts'

const system: Actor = { kind: 'system', name: 'test' }
const handlers = {
  // The cards are made before the work begins.
  'order.issue': () => Promise.resolve(),
  'cards.deliver': (edge: Edge, args: object) => deliverCards(edge, (args as { sliceId: Id<'orderSlice'> }).sliceId),
  'batch.send': (edge: Edge, args: object) => sendBatch(edge, (args as { batchId: Id<'deliveryBatch'> }).batchId),
  'deliveries.send': (edge: Edge, args: object) =>
    deliverAgain(edge, (args as { campaignId: Id<'campaign'> }).campaignId),
  'deliveries.resend': (edge: Edge, args: object) =>
    edge.tx((tx) => planFailed(tx, { reason: null, ...args } as Parameters<typeof planFailed>[1])),
}

/** Members of the sandbox's company with mobiles, and the same people as a list names them. */
export const staffOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ userid: `Staff${i}`, name: `员工${i}`, mobile: `139${10000000 + i}` }))
export const listed = (count: number): TestPerson[] => staffOf(count).map(({ userid, name }) => ({ userid, name }))

/** Does every delivery job that is ready at this moment, one by one; `between` looks after each. */
export async function deliverAll(edge: Edge, between?: () => Promise<void>): Promise<void> {
  for (;;) {
    if (!(await workOnce(edge, handlers, 'small')) && !(await workOnce(edge, handlers, 'bulk'))) return
    await between?.()
  }
}

/**
 * A WeCom sandbox before each test, on a clock that the test moves, and what tests of delivery do with it and a database.
 */
export function deliveryStage(database: TestDatabase) {
  const stage = { nowMs: 0, box: undefined as unknown as WecomSandbox }
  beforeEach(async () => {
    // Ahead of the real clock, by which the fixtures write their jobs.
    stage.nowMs = Date.now() + 600_000
    stage.box = await startWecomSandbox({ now: () => stage.nowMs })
  })
  afterEach(() => stage.box.close())
  const now = () => stage.nowMs
  const ports = () => ({ wecom: wecomOf(stage.box, { now }) }) as Ports
  const rows = <T>(text: string, values: unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  return Object.assign(stage, {
    ports,
    rows,
    edgeAs: (actor: Actor = system) => database.edge(ports(), actor, now),
    counts: (id: Id<'campaign'>) => database.tx((tx) => readDeliveryCounts(tx, id)),
    stats: (company: TestCompany) => stage.box.control.stats(company.wecom.corpId),
    oneBatch: async () => (await rows<{ id: Id<'deliveryBatch'> }>('select id from delivery_batch'))[0]!.id,
    /** A company with so many members, and an issued campaign for them and these people. */
    aCampaignOf: async (count: number, more: readonly TestPerson[] = []) => {
      const company = await aCompany(database, { sandbox: stage.box, staff: staffOf(count) })
      const personIds = await somePeople(database, company.id, [...listed(count), ...more])
      return { company, campaign: await anIssuedCampaign(database, company, personIds) }
    },
    mendConnection: () => database.tx((tx) => change(tx.em, "update wecom_connection set state = 'active'")),
    stateOf: async (campaignId: Id<'campaign'>) =>
      (await rows<{ state: string }>('select state from campaign where id = ?', [campaignId]))[0]?.state,
  })
}
