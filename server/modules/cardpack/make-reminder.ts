import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays, wallAt } from '../../../contract/wall-clock.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readHeldCard, type Holder } from '../card/read-card.ts'
import { readBrands } from '../catalog/read-template.ts'
import { packPathOf, readZone } from './read-pack.ts'

/** RFC 5545, 3.1: a line has at most 75 octets without its end; what follows begins with a blank. */
const LINE_OCTETS = 75

/**
 * The last day of a card as a calendar keeps it (RFC 5545), with alarms at nine in the morning a week and a day before.
 * Refuses with `not_found` for anybody else's card, with `state_conflict` for one that does not expire.
 */
export async function makeReminder(tx: Tx, holder: Holder, cardId: Id<'card'>, lang: Lang): Promise<string> {
  const card = (await readHeldCard(tx, holder, cardId)) ?? refuse('not_found')
  const expiresAtMs = card.expiresAtMs ?? refuse('state_conflict')
  const [brand] = await readBrands(tx, [card.brandId])
  return writeCalendar({
    uid: `${card.id}@${new URL(tx.house.publicUrl).host}`,
    day: wallAt(expiresAtMs - 1, await readZone(tx, holder)).day,
    madeAtMs: tx.clock.now(),
    url: `${tx.house.publicUrl}${packPathOf(holder)}/cards/${card.id}`,
    ...wordsOf(lang, brand?.name ?? '', card.number.slice(-4)),
  })
}

const wordsOf = (lang: Lang, brand: string, tail: string) =>
  lang === 'zh'
    ? { summary: `${brand}福利卡（尾号 ${tail}）今天到期`, text: '请在今天结束前用完，打开卡包可查看余额和可用门店。' }
    : {
        summary: `Your ${brand} card (${tail}) expires today`,
        text: 'Use it before the day ends. Your card pack shows its balance and where it counts.',
      }

export interface CalendarDay {
  readonly uid: string
  /** YYYY-MM-DD: a day is the same day wherever the phone is. */
  readonly day: string
  readonly madeAtMs: number
  readonly summary: string
  readonly text: string
  readonly url: string
}

/** A calendar with one whole day in it, in lines as the standard wants them. */
export function writeCalendar({ uid, day, madeAtMs, summary, text, url }: CalendarDay): string {
  const plain = (date: string): string => date.replaceAll('-', '')
  const next = addDays(day, 1)
  const stamp = new Date(madeAtMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const alarm = (trigger: string): string[] => [
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    `DESCRIPTION:${escape(summary)}`,
    `TRIGGER:${trigger}`,
    'END:VALARM',
  ]
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Fulika//Card pack//ZH',
    'METHOD:PUBLISH',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    `DTSTAMP:${stamp}`,
    `DTSTART;VALUE=DATE:${plain(day)}`,
    `DTEND;VALUE=DATE:${plain(next)}`,
    `SUMMARY:${escape(summary)}`,
    `DESCRIPTION:${escape(text)}`,
    `URL:${url}`,
    'TRANSP:TRANSPARENT',
    // The day begins at midnight: nine in the morning of an earlier day is so much less.
    ...alarm('-P6DT15H'),
    ...alarm('-PT15H'),
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${fold(line)}\r\n`).join('')
}

/** RFC 5545, 3.3.11. */
const escape = (text: string): string =>
  text
    .replace(/[\\;,]/g, (sign) => `\\${sign}`)
    .replace(/\r\n|\r|\n/g, '\\n')
    // No other control sign may stand in a text.
    .replace(/\p{Cc}/gu, '')

/** Breaks a line at whole signs, so that no octet of one stands on another line. */
function fold(line: string): string {
  const lines: string[] = []
  let part = ''
  let octets = 0
  for (const sign of line) {
    const more = Buffer.byteLength(sign)
    if (octets + more > LINE_OCTETS) {
      lines.push(part)
      part = ' '
      octets = 1
    }
    part += sign
    octets += more
  }
  return [...lines, part].join('\r\n')
}
