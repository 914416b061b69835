import { createHash } from 'node:crypto'
import type { Id } from '../../../contract/ids.ts'
import type { StatementEntry } from '../../../contract/statement-entry.ts'
import type { IncomeRecord, WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, insertIgnore } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { findContradiction, LINES_AT_ONCE, takeLines } from './take-lines.ts'
import { BankStatement } from './tables.ts'

/** A record may show up days after its day: each day is read again this often. */
const DAYS = 4
const DAY_MS = 86_400_000

/**
 * Job `income.read`: takes what came by bank transfer into our own account at WeChat Pay in the last days, as lines that
 * are matched like a bank statement's. Each record is booked once, however often it is read; a run that stopped is
 * finished by the next. Without a merchant of ours there is nothing to read. Throws OutsideError when a day gave no answer;
 * the other days are taken then.
 */
export async function readIncome(edge: Edge): Promise<void> {
  const { platform } = edge.house.wechatPay
  if (platform === null) return
  let unanswered: OutsideError | null = null
  for (let back = DAYS - 1; back >= 0; back -= 1) {
    const day = dayOf(edge.clock.now() - back * DAY_MS, CHINA)
    try {
      await takeDay(edge, platform, day)
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      edge.log.warn({ day, outcome: error.outcome, code: error.code }, 'incomes of a day could not be read')
      unanswered = error
    }
  }
  if (unanswered !== null) throw unanswered
}

async function takeDay(edge: Edge, platform: WechatPayMerchant, day: string): Promise<void> {
  const records = await edge.ports.wechatPay.readIncome(platform, day)
  const entries = records.map(entryOf).filter((entry) => entry.amountFen > 0)
  if (entries.length === 0) return
  const statementId = await edge.tx((tx) => recordDay(tx, platform.mchid, day, entries.length))
  for (let from = 0; from < entries.length; from += LINES_AT_ONCE)
    await edge.tx(async (tx) => {
      const some = entries.slice(from, from + LINES_AT_ONCE)
      const wrong = await findContradiction(tx, some)
      if (wrong)
        tx.log.error({ day, record: some[0]?.serial, wrong: wrong.en }, 'an income was told twice, differently')
      await takeLines(tx, statementId, { source: 'wechat_income', mchid: platform.mchid }, some)
    })
}

function entryOf(record: IncomeRecord, index: number): StatementEntry {
  return {
    row: index + 1,
    serial: serialOf(record.recordId),
    direction: 'in',
    amountFen: record.amount,
    arrivedAtMs: record.arrivedAtMs,
    payerName: record.payerName,
    payerAccount: record.payerAccount,
    memo: record.remark,
  }
}

/** Never the serial of a bank, and as long as a serial may be. */
function serialOf(recordId: string): string {
  const plain = `wechat-${recordId}`
  return plain.length <= 64 ? plain : `wechat-${createHash('sha256').update(recordId).digest('hex').slice(0, 56)}`
}

/** The statement of a merchant's day, found again by merchant and day. */
async function recordDay(tx: Tx, mchid: string, day: string, lineCount: number): Promise<Id<'statement'>> {
  const contentIndex = tx.house.seal.blindIndex('wechat-income', `${mchid} ${day}`)
  const id = tx.newId('statement')
  const place = { table: 'bank_statement', column: 'name_sealed', rowId: id }
  await insertIgnore(tx.em, 'bank_statement', [
    {
      id,
      content_index: contentIndex,
      name_sealed: tx.house.seal.seal(place, `微信支付 ${mchid} ${day}`),
      line_count: lineCount,
      imported_by: actorName(tx.actor),
      imported_at_ms: tx.clock.now(),
    },
  ])
  const held = await tx.em.findOneOrFail(BankStatement, { contentIndex }, { disableIdentityMap: true })
  if (held.id === id) await trail(tx, { objectId: id, act: 'bank_statement.imported', note: `${lineCount} incomes` })
  else if (held.lineCount !== lineCount)
    await change(tx.em, 'update bank_statement set line_count = ? where id = ?', [lineCount, held.id])
  return held.id
}
