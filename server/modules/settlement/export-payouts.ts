import { fen, formatYuan, sumFen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { payoutMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { move } from '../../kernel/move.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { readPayeeAccounts, type PayeeBank } from './payee-account.ts'
import { safeCell } from './rules.ts'
import { Payout, PayoutFile, type PayoutRow } from './tables.ts'

/** What banks' batch transfers ask for, in the order in which most of them do. */
const columns = ['序号', '收款户名', '收款账号', '收款银行', '金额（元）', '币种', '附言', '付款编号'] as const
/** Payouts of one file: a bank's batch, and one short transaction. */
const MOST_PAYOUTS = 500

export interface ExportedPayouts {
  readonly fileId: Id<'payoutFile'>
  readonly payouts: number
  readonly totalFen: number
  /** Payees whose account nobody has entered: they are in no file. */
  readonly withoutAccount: readonly string[]
}

/**
 * Writes drafted payouts into a file for the bank and keeps the file, sealed: whoever asks for it again gets the same
 * bytes. From here on they are `exported`, and nothing of them changes. `ids` names some of them; otherwise all, 500 at
 * the most. Refuses with `state_conflict` when none is drafted, `payee_account_missing` when none has an account.
 */
export async function exportPayouts(tx: Tx, ids?: readonly Id<'payout'>[]): Promise<ExportedPayouts> {
  const where = { state: 'drafted' as const, ...(ids === undefined ? {} : { id: { $in: [...ids] } }) }
  const options = { orderBy: { id: 'asc' }, limit: MOST_PAYOUTS, disableIdentityMap: true } as const
  const drafted = await tx.em.find(Payout, where, options)
  if (drafted.length === 0) refuse('state_conflict')
  const accounts = await readPayeeAccounts(
    tx,
    drafted.map((payout) => payout.payee),
  )
  const ready = drafted.filter((payout) => accounts.has(payout.payee))
  const withoutAccount = drafted.filter((payout) => !accounts.has(payout.payee)).map((payout) => payout.payee)
  if (ready.length === 0) refuse('payee_account_missing')
  const fileId = tx.newId('payoutFile')
  const now = tx.clock.now()
  for (const { id } of ready) {
    const step = { table: 'payout', id, from: 'drafted', to: 'exported', moves: payoutMoves }
    if (!(await move(tx, { ...step, set: { file_id: fileId, exported_at_ms: now } }))) refuse('state_conflict')
  }
  const totalFen = sumFen(ready.map((payout) => payout.amountFen))
  const content = writeBankFile(ready, accounts)
  const place = { table: 'payout_file', column: 'content_sealed', rowId: fileId }
  await tx.em.insert(PayoutFile, {
    id: fileId,
    contentSealed: tx.house.seal.seal(place, content),
    payouts: ready.length,
    totalFen: fen(totalFen),
    createdBy: actorName(tx.actor),
    createdAtMs: now,
  })
  await trail(tx, { objectId: fileId, act: 'payouts.exported', note: `${ready.length} ${totalFen}` })
  return { fileId, payouts: ready.length, totalFen, withoutAccount }
}

/** The file as it was made, byte for byte; who took it stands in the trail. Refuses with `not_found`. */
export async function readPayoutFile(tx: Tx, fileId: Id<'payoutFile'>): Promise<Buffer> {
  const file = (await tx.em.findOne(PayoutFile, { id: fileId }, { disableIdentityMap: true })) ?? refuse('not_found')
  await trail(tx, { objectId: fileId, act: 'payouts.file_taken' })
  const place = { table: 'payout_file', column: 'content_sealed', rowId: fileId }
  return Buffer.from(tx.house.seal.open(place, file.contentSealed), 'utf8')
}

/** CSV with a byte order mark, as spreadsheets and banks' uploads read Chinese; no cell is taken for a formula. */
function writeBankFile(payouts: readonly PayoutRow[], accounts: ReadonlyMap<string, PayeeBank>): string {
  const rows = payouts.map((payout, index) => {
    const bank = accounts.get(payout.payee)!
    const yuan = formatYuan(payout.amountFen).replaceAll(/[¥,]/g, '')
    return [String(index + 1), bank.holder, bank.number, bank.bank, yuan, 'CNY', payout.id, payout.id].map(safeCell)
  })
  return `\ufeff${[columns, ...rows].map((cells) => cells.map(quoted).join(',')).join('\r\n')}\r\n`
}

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
