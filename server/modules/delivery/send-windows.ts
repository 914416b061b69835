import type { SendWindow } from '../../../contract/hr/campaign.ts'
import { nextChinaDay } from './china-day.ts'
import { besideTheRush, type Quiet } from './rules.ts'

const MINUTE_MS = 60_000
/** One call of 1,000 people a second: message/send has no limit of its own below that. */
const PEOPLE_PER_MS = 1
/** Under the 10,000 look-ups a minute that WeCom allows. */
const LOOK_UPS_PER_MS = 9_500 / MINUTE_MS
/** Enough for a year of days; whoever sends more has another problem. */
const MOST_WINDOWS = 400

export interface Sending extends Quiet {
  readonly startMs: number
  /** People whose account is known, and those who are looked up first. */
  readonly known: number
  readonly toLookUp: number
  /** Messages that are left of the app's quota on the day of China of an instant, before this sending. */
  readonly leftOn: (atMs: number) => number
}

/**
 * When how many people are sent to: as fast as calls and look-ups go, not in minute 0 and 30 where
 * the house leaves these out, and no more in a day than
 * the quota leaves. The people of all windows are all the people, unless the quota is nothing at all.
 */
export function sendWindows(sending: Sending): SendWindow[] {
  const all = sending.known + sending.toLookUp
  const windows: SendWindow[] = []
  let [atMs, sent, activeMs, today] = [besideTheRush(sending, sending.startMs), 0, 0, 0]
  let idleDays = 0
  while (sent < all && windows.length < MOST_WINDOWS && idleDays < MOST_WINDOWS) {
    const left = sending.leftOn(atMs) - today
    if (left <= 0) {
      idleDays += 1
      ;[atMs, today] = [besideTheRush(sending, nextChinaDay(atMs)), 0]
      continue
    }
    const wanted = Math.min(all - sent, left)
    const neededMs = timeFor(sent + wanted, sending) - activeMs
    const roomMs = Math.min(nextRush(sending, atMs), nextChinaDay(atMs)) - atMs
    const tookMs = Math.min(neededMs, roomMs)
    const people = neededMs <= roomMs ? wanted : Math.floor(peopleIn(activeMs + roomMs, sending)) - sent
    sent += people
    today += people
    activeMs += tookMs
    const limitedBy = limitOf({ over: sent === all, quota: people === left, ...sending, sent })
    windows.push({ fromMs: atMs, toMs: Math.ceil(atMs + tookMs), people, limitedBy })
    const next = atMs + tookMs
    if (next >= nextChinaDay(atMs)) today = 0
    atMs = besideTheRush(sending, Math.ceil(next))
  }
  return windows
}

function limitOf(now: { over: boolean; quota: boolean; known: number; sent: number }): SendWindow['limitedBy'] {
  if (now.over) return null
  if (now.quota) return 'day_quota'
  return now.sent > now.known ? 'look_ups' : 'rush'
}

/** How long it takes until so many are sent to. */
const timeFor = (people: number, { known }: Sending): number =>
  Math.max(people / PEOPLE_PER_MS, (people - known) / LOOK_UPS_PER_MS)

const peopleIn = (ms: number, { known }: Sending): number => Math.min(ms * PEOPLE_PER_MS, known + ms * LOOK_UPS_PER_MS)

/** The next instant at which minute 0 or 30 begins; never where the house does not mind. */
const nextRush = ({ quietMinutes }: Quiet, atMs: number): number =>
  !quietMinutes ? Infinity : (Math.floor(atMs / (30 * MINUTE_MS)) + 1) * 30 * MINUTE_MS
