import { contact, say } from './contacts.ts'
import { linesOf } from './contact-message.ts'
import type { ContactMessage, MassMember, MassTask } from './customer-state.ts'
import type { Corp, WecomState } from './state.ts'

const CHINA_MS = 8 * 3_600_000

/** The task of a company's mass message and one of its members; null when either is not there. */
function massMember(
  state: WecomState,
  corp: Corp,
  taskId: string,
  userid: string,
): { readonly task: MassTask; readonly member: MassMember } | null {
  const task = contact(state, corp).tasks.get(taskId)
  const member = task?.members.get(userid.toLowerCase())
  return task && member ? { task, member } : null
}

/**
 * A member confirms a mass message: only now it goes out. Whoever has left gets nothing (2), nor does a customer who
 * already had as many as the month has days (3). False when there is nothing to confirm.
 */
export function confirmMass(state: WecomState, corp: Corp, taskId: string, userid: string): boolean {
  const found = massMember(state, corp, taskId, userid)
  if (!found || found.task.cancelled || found.member.sentAtMs !== null) return false
  const { task, member } = found
  const { customers, gotInMonth } = contact(state, corp)
  const now = state.now()
  member.sentAtMs = now
  for (const [id, result] of member.results) {
    const customer = customers.get(id)
    const follow = customer?.followers.get(member.userid.toLowerCase())
    const key = `${monthOf(now)} ${id}`
    const got = gotInMonth.get(key) ?? 0
    if (!customer || !follow || follow.left) result.status = 2
    else if (got >= daysIn(now)) result.status = 3
    else {
      Object.assign(result, { status: 1, sentAtMs: now })
      gotInMonth.set(key, got + 1)
      for (const line of linesOf(task.message)) say(state, corp, customer, member.userid, line)
    }
  }
  return true
}

/** A member puts a mass message away: nobody is told, and it stays open. */
export function ignoreMass(state: WecomState, corp: Corp, taskId: string, userid: string): boolean {
  const found = massMember(state, corp, taskId, userid)
  if (!found || found.member.sentAtMs !== null) return false
  found.member.ignored = true
  return true
}

/** What a task says, for its list. */
export function taskContent(message: ContactMessage): Record<string, unknown> {
  return { text: { content: message.text }, attachments: message.attachments }
}

function monthOf(ms: number): string {
  return new Date(ms + CHINA_MS).toISOString().slice(0, 7)
}

function daysIn(ms: number): number {
  const day = new Date(ms + CHINA_MS)
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate()
}
