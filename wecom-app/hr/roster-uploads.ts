import { reactive, ref } from 'vue'
import type { UploadedRoster } from '../../contract/hr/staff.ts'
import { rosterLimits } from '../../contract/roster-limits.ts'
import { keptKey, toApiProblem, upload, withQuery, type ApiProblem, type KeptKey } from '../lib/api.ts'

/** One file on its way. It belongs to no page, so that leaving the page does not stop it. */
export interface RosterUpload {
  readonly file: File
  readonly key: KeptKey
  /** 0 to 1. */
  done: number
  state: 'sending' | 'sent' | 'failed'
  rosterId: string | null
  problem: ApiProblem | null
}

export const uploads = ref<RosterUpload[]>([])

export type FileSlip = 'too-large' | 'empty' | 'kind'

/** What can be seen to be wrong with a file before it is sent; null when nothing is. */
export function slipOf(file: { readonly name: string; readonly size: number }): FileSlip | null {
  if (file.size === 0) return 'empty'
  if (file.size > rosterLimits.fileBytes) return 'too-large'
  return /\.(xlsx|csv|tsv|txt)$/i.test(file.name) ? null : 'kind'
}

/** Sends a file; resolves when it has been received or has failed (the upload then says why). */
export async function startUpload(file: File): Promise<RosterUpload> {
  const one: RosterUpload = reactive({
    file,
    key: keptKey(),
    done: 0,
    state: 'sending',
    rosterId: null,
    problem: null,
  })
  uploads.value = [one, ...uploads.value]
  await sendUpload(one, false)
  return one
}

/** Sends the same file once more: after a fault, or (`again`) although it was uploaded before. */
export async function sendUpload(one: RosterUpload, again: boolean): Promise<void> {
  one.state = 'sending'
  one.done = 0
  one.problem = null
  if (uploads.value.some((other) => other.state === 'sending')) addEventListener('beforeunload', warn)
  try {
    const path = withQuery('/hr/rosters', again ? { again: true } : {})
    const answer = await upload<UploadedRoster>(path, one.file, one.key, (done) => (one.done = done))
    one.rosterId = answer.id
    one.state = 'sent'
    forgetUpload(one)
  } catch (error) {
    one.problem = toApiProblem(error)
    one.state = 'failed'
  } finally {
    if (!uploads.value.some((other) => other.state === 'sending')) removeEventListener('beforeunload', warn)
  }
}

export function forgetUpload(one: RosterUpload): void {
  uploads.value = uploads.value.filter((other) => other.key !== one.key)
}

/** The bytes are only in this window: closing it would lose them. */
function warn(event: BeforeUnloadEvent): void {
  event.preventDefault()
}
