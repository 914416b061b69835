import { errorCodes, type Lang } from '../../../contract/error-codes.ts'
import { fen, sumFen } from '../../../contract/fen.ts'
import type { RecurringPreview } from '../../../contract/hr/recurring.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import type { Tx } from '../../kernel/context.ts'
import { readVersions } from '../catalog/read-template.ts'
import { countWithoutDay } from '../staff/read-days.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { readDue } from './plan-run-day.ts'
import { companyToday, contentOfRun, findOwnRecurring } from './read-recurring.ts'
import { hashRun, runBlocks, runHeads } from './recurring-rules.ts'

const DAYS = 30

/** What a run would do in the next 30 days, as the staff stands now. Another company's run is 404. */
export async function previewRecurring(tx: Tx, id: Id<'recurring'>, lang: Lang): Promise<RecurringPreview> {
  const run = await findOwnRecurring(tx, id)
  const content = contentOfRun(run)
  const [version] = await readVersions(tx, [content.templateVersionId])
  if (version === undefined) throw new Error(`run ${id} has no template version`)
  const { day: today } = await companyToday(tx, run.companyId)
  const days = Array.from({ length: DAYS }, (_, index) => addDays(today, index))
  const due = await readDue(tx, run, days)
  const planned = days.flatMap((day) => {
    const onDay = due.filter((one) => one.day === day)
    const { heads } = runHeads(content, version, onDay)
    if (heads.length === 0) return []
    const faceFen = sumFen(heads.map((head) => head.faceFen))
    return { day, heads: heads.length, faceFen, priceFen: sumFen(heads.map((head) => head.priceFen)) }
  })
  return {
    days: planned,
    heads: planned.reduce((sum, one) => sum + one.heads, 0),
    faceFen: sumFen(planned.map((one) => one.faceFen)),
    priceFen: sumFen(planned.map((one) => one.priceFen)),
    withoutDay: await countWithoutDay(tx, run.companyId, content.kind === 'birthday' ? 'birthday' : 'hireDay'),
    blocks: runBlocks(content, version).map(({ code, field }) => ({ code, field, text: errorCodes[code][lang] })),
    walletFen: (await readWallet(tx, run.companyId))?.balanceFen ?? fen(0),
    contentHash: hashRun(id, content),
  }
}
