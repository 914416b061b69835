import { can, type Ability } from '../../../contract/abilities.ts'
import type { Home } from '../../../contract/hr/delivery.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { countPeople } from '../staff/read-people.ts'
import { readLow, readWallet, type WalletFacts } from '../wallet/read-wallet.ts'
import { readRunning } from './read-campaigns.ts'
import { readForecast } from './read-forecast.ts'

type Todo = Home['todo'][number]
/** Of each kind: whoever has more has a list to look at. */
const MOST_OF_A_KIND = 10
const RUNNING_SHOWN = 10

/** What needs the member who asks today, what is running, and the figures of the company. */
export async function readHome(tx: Tx): Promise<Home> {
  const companyId = companyOf(tx.actor)
  const wallet = await readWallet(tx, companyId)
  return {
    todo: [...(await readLowWallet(tx, companyId, wallet)), ...(await readTodo(tx, companyId))],
    running: await readRunning(tx, RUNNING_SHOWN),
    walletFen: wallet?.balanceFen ?? 0,
    people: await countPeople(tx, companyId),
    delivered: await readDelivered(tx, companyId),
  }
}

interface Row {
  readonly id: string
  readonly title: string
  readonly count: unknown
  readonly fen: unknown
}
interface Kind {
  readonly kind: Todo['kind']
  /** Only those who may do something about it are told. */
  readonly may: Ability
  readonly query: string
}
const kinds: readonly Kind[] = [
  {
    kind: 'campaign_to_approve',
    may: 'campaign.approve',
    query: `select id, title, heads as count, face_total_fen as fen from campaign
      where company_id = ? and state = 'in_review' and (submitted_by is null or submitted_by <> ?)`,
  },
  {
    kind: 'money_missing',
    may: 'payment.open',
    query: `select orders.id as id, campaign.title as title, campaign.heads as count,
        orders.total_fen - orders.secured_fen as fen
      from campaign join orders on orders.id = campaign.order_id
      where campaign.company_id = ? and orders.state = 'awaiting_funds' and ? is not null`,
  },
  {
    kind: 'heads_failed',
    may: 'delivery.resend',
    query: `select campaign.id as id, max(campaign.title) as title, count(*) as count, 0 as fen
      from campaign join delivery on delivery.campaign_id = campaign.id and delivery.state = 'failed'
      where campaign.company_id = ? and ? is not null group by campaign.id`,
  },
  {
    kind: 'campaign_to_submit',
    may: 'campaign.submit',
    query: `select id, title, coalesce(heads, 0) as count, coalesce(face_total_fen, 0) as fen from campaign
      where company_id = ? and state in ('draft', 'rejected') and ? is not null`,
  },
]

async function readTodo(tx: Tx, companyId: Id<'company'>): Promise<Todo[]> {
  const roles = tx.actor.kind === 'member' ? tx.actor.roles : []
  const todo: Todo[] = []
  for (const { kind, may, query } of kinds) {
    if (!can('member', roles, may)) continue
    const text = `select id, title, count, fen from (${query}) todo order by id desc limit ${MOST_OF_A_KIND}`
    const rows = await sql<Row>(tx.em, text, [companyId, memberOf(tx.actor)])
    todo.push(...rows.map((row) => ({ ...row, kind, count: readSum(row.count), fen: readSum(row.fen) })))
  }
  return can('member', roles, 'roster.write') ? [...(await readRostersToMend(tx, companyId)), ...todo] : todo
}

/** One line while the balance is below what the company wants to be told of, for those who may top it up. */
async function readLowWallet(tx: Tx, companyId: Id<'company'>, wallet: WalletFacts | null): Promise<Todo[]> {
  const roles = tx.actor.kind === 'member' ? tx.actor.roles : []
  if (wallet === null || !can('member', roles, 'wallet.read')) return []
  const { alert } = await readLow(tx, companyId)
  if (alert === null) return []
  const { lastsUntilDay } = await readForecast(tx, companyId, wallet.balanceFen)
  return [{ kind: 'wallet_low', id: companyId, title: lastsUntilDay ?? '', count: 0, fen: wallet.balanceFen }]
}

async function readRostersToMend(tx: Tx, companyId: Id<'company'>): Promise<Todo[]> {
  const rows = await sql<{ id: string; sealed: Uint8Array; count: unknown }>(
    tx.em,
    `select id, name_sealed as sealed, faulty_count as count from roster
      where company_id = ? and state = 'needs_mending' order by id desc limit ${MOST_OF_A_KIND}`,
    [companyId],
  )
  return rows.map(({ id, sealed, count }) => ({
    kind: 'roster_to_mend' as const,
    id,
    title: tx.house.seal.open({ table: 'roster', column: 'name_sealed', rowId: id }, sealed),
    count: readSum(count),
    fen: 0,
  }))
}

/** The heads of every approved campaign of the company: pending + sent + failed + revoked are all of them. */
async function readDelivered(tx: Tx, companyId: Id<'company'>): Promise<Home['delivered']> {
  const [row] = await sql<{ heads: unknown }>(
    tx.em,
    "select sum(heads) as heads from campaign where company_id = ? and state in ('approved', 'running', 'finished')",
    [companyId],
  )
  const rows = await sql<{ state: string; count: unknown }>(
    tx.em,
    `select delivery.state as state, count(*) as count from campaign
      join delivery on delivery.campaign_id = campaign.id where campaign.company_id = ? group by delivery.state`,
    [companyId],
  )
  const of = (...states: string[]) =>
    rows.filter(({ state }) => states.includes(state)).reduce((sum, { count }) => sum + readSum(count), 0)
  const [sent, failed, revoked] = [of('sent', 'opened', 'claimed'), of('failed'), of('revoked')]
  const [waiting] = await sql<{ count: unknown }>(
    tx.em,
    `select count(*) as count from campaign join delivery on delivery.campaign_id = campaign.id
      where campaign.company_id = ? and delivery.waits_until_ms is not null`,
    [companyId],
  )
  return {
    pending: readSum(row?.heads) - sent - failed - revoked,
    carried: readSum(waiting?.count),
    sent,
    opened: of('opened', 'claimed'),
    claimed: of('claimed'),
    failed,
    revoked,
  }
}
