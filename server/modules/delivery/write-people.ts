import { PassThrough, type Readable } from 'node:stream'
import exceljs from 'exceljs'
import { deliveryReasonSentence } from '../../../contract/delivery-reasons.ts'
import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import type { DeliveryState } from '../../../contract/states.ts'
import { wallAt } from '../../../contract/wall-clock.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { isTaken } from '../../kernel/taken.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { readMemberNames } from '../company/read-members.ts'
import { openPeople, type OpenPerson } from '../staff/read-people.ts'
import { maskPhone, safeText } from '../staff/rules.ts'
import { readRecipients, type Recipient } from './read-deliveries.ts'

/** A page of rows at a time: 200,000 people never lie in memory together. */
const ROWS_AT_ONCE = 1000

const words = {
  zh: {
    sheet: '收卡人',
    columns: [
      '姓名',
      '部门',
      '手机号',
      '企业微信账号',
      '面额（元）',
      '状态',
      '原因与办法',
      '送达时间',
      '打开时间',
      '领取时间',
    ],
    mark: (who: string, company: string, when: string) =>
      `${company} · ${who} 于 ${when} 导出 · 含个人信息，请妥善保管`,
    states: {
      planned: '等待',
      sending: '发送中',
      sent: '已送达',
      opened: '已打开',
      claimed: '已领取',
      failed: '失败',
      revoked: '已撤回',
    },
  },
  en: {
    sheet: 'Recipients',
    columns: [
      'Name',
      'Department',
      'Mobile',
      'WeCom account',
      'Face (yuan)',
      'State',
      'Why and what to do',
      'Sent',
      'Opened',
      'Taken',
    ],
    mark: (who: string, company: string, when: string) =>
      `${company} · exported by ${who} at ${when} · personal data, keep it safe`,
    states: {
      planned: 'Waiting',
      sending: 'Sending',
      sent: 'Sent',
      opened: 'Opened',
      claimed: 'Taken',
      failed: 'Failed',
      revoked: 'Recalled',
    },
  },
} as const satisfies Record<Lang, { states: Record<DeliveryState, string> } & Record<string, unknown>>

interface Export {
  readonly campaignId: Id<'campaign'>
  readonly zone: string
  readonly mark: string
}

/**
 * The people of a campaign as xlsx, row by row: what they get, what became of the message and why, times by the company's
 * clocks, and on top who exported it when. The trail keeps that it was exported. No cell can run as a formula.
 * `not_found` for another company's campaign.
 */
export async function writePeople(edge: Edge, campaignId: Id<'campaign'>, lang: Lang): Promise<Readable> {
  const facts = await edge.tx((tx) => begin(tx, campaignId, lang))
  const out = new PassThrough()
  write(edge, facts, lang, out).catch((error: unknown) =>
    out.destroy(error instanceof Error ? error : new Error('the people could not be written')),
  )
  return out
}

async function begin(tx: Tx, id: Id<'campaign'>, lang: Lang): Promise<Export> {
  const campaign = await findOwnCampaign(tx, id)
  const member = memberOf(tx.actor)
  const company = (await readCompany(tx, companyOf(tx.actor))) ?? refuse('not_found')
  const who = (await readMemberNames(tx, [member])).get(member) ?? member
  await trail(tx, { objectId: campaign.id, act: 'campaign.exported', note: String(campaign.heads ?? 0) })
  const when = say(tx.clock.now(), company.timeZone)
  return { campaignId: campaign.id, zone: company.timeZone, mark: words[lang].mark(who, company.name, when) }
}

async function write(edge: Edge, { campaignId, zone, mark }: Export, lang: Lang, out: PassThrough): Promise<void> {
  const book = new exceljs.stream.xlsx.WorkbookWriter({ stream: out, useStyles: true })
  const sheet = book.addWorksheet(words[lang].sheet, { views: [{ state: 'frozen', ySplit: 2 }] })
  sheet.columns = [14, 20, 16, 20, 12, 10, 48, 18, 18, 18].map((width) => ({ width }))
  sheet.addRow([safeText(mark)]).commit()
  const head = sheet.addRow([...words[lang].columns])
  head.font = { bold: true }
  head.commit()
  for (let after = -1; ;) {
    const afterSeq = after
    const page = await edge.read(async (tx) => {
      const recipients = await readRecipients(tx, { campaignId, afterSeq, limit: ROWS_AT_ONCE })
      const people = await openPeople(
        tx,
        recipients.map(({ personId }) => personId),
      )
      return { recipients, people: new Map(people.map((person) => [person.id, person])) }
    })
    for (const one of page.recipients) {
      const line = sheet.addRow(cellsOf(one, page.people.get(one.personId), { zone, lang }))
      line.commit()
    }
    if (page.recipients.length < ROWS_AT_ONCE) break
    after = page.recipients.at(-1)!.seq
    if (!(await isTaken(out))) return
  }
  sheet.commit()
  await book.commit()
}

function cellsOf(
  one: Recipient,
  person: OpenPerson | undefined,
  { zone, lang }: { readonly zone: string; readonly lang: Lang },
): (string | number)[] {
  const at = (ms: number | null): string => (ms === null ? '' : say(ms, zone))
  return [
    safeText(person?.name ?? ''),
    safeText(person?.department ?? ''),
    safeText(maskPhone(person?.phone ?? null) ?? ''),
    safeText(person?.userid ?? ''),
    one.faceFen / 100,
    words[lang].states[one.state],
    one.reason === null ? '' : deliveryReasonSentence(one.reason, lang),
    at(one.sentAtMs),
    at(one.openedAtMs),
    at(one.claimedAtMs),
  ]
}

/** An instant on the company's clocks, to the minute: YYYY-MM-DD HH:mm. */
function say(ms: number, zone: string): string {
  const { day, minute } = wallAt(ms, zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${day} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}
