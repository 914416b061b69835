import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import type { CampaignContent, CampaignDetail, DryRun } from '../../../../contract/hr/campaign.ts'
import type { Id } from '../../../../contract/ids.ts'
import { get, keptKey, send, toApiProblem, type ApiProblem } from '../../../lib/api.ts'
import { choosesPeople, isComplete } from './draft-content.ts'

export type SaveState = 'unsaved' | 'saving' | 'saved' | 'failed' | 'conflict'
type CampaignId = Id<'campaign'>

const pauseMs = 700

/**
 * A campaign's draft as one types: each change is saved on the server after a short pause (the first one creates the
 * draft), then checked by a dry run. Nothing is kept in the browser. `created` hears of a new draft's id.
 */
export function useDraft(start: CampaignContent, existing: CampaignDetail | null, created: (id: CampaignId) => void) {
  const content = shallowRef<CampaignContent>(start)
  const id = ref<CampaignId | null>(existing?.id ?? null)
  const saveState = ref<SaveState>(existing === null ? 'unsaved' : 'saved')
  const savedAtMs = ref<number | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const check = useDryRun(id)
  const creation = keptKey()
  let version = existing?.version ?? 0
  let dirty = false
  let gone = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<void> | null = null

  const change = (next: CampaignContent): void => {
    content.value = next
    dirty = true
    check.expire()
    clearTimeout(timer)
    timer = setTimeout(() => void save(), pauseMs)
  }

  /** Saves a new draft as it stands, so that it can be checked without a change of hands. */
  const begin = (): void => {
    if (id.value === null && running === null) change(content.value)
  }

  const write = async (): Promise<void> => {
    const sending = content.value
    if (id.value === null) {
      const answer = await send<{ id: CampaignId }>('POST', '/hr/campaigns', sending, creation)
      id.value = answer.id
      version = (await get<CampaignDetail>(`/hr/campaigns/${answer.id}`)).version
      if (!gone) created(answer.id)
    } else {
      const moved = await send<{ version: number }>('PUT', `/hr/campaigns/${id.value}`, { ...sending, version })
      version = moved.version
    }
    if (content.value === sending) dirty = false
  }

  /** Saves what is not saved yet, one request at a time, then checks it. */
  const save = async (): Promise<void> => {
    clearTimeout(timer)
    if (running !== null) await running
    if (!dirty || !isComplete(content.value) || saveState.value === 'conflict') return
    saveState.value = 'saving'
    running = write()
      .then(() => {
        saveState.value = 'saved'
        savedAtMs.value = Date.now()
        problem.value = null
      })
      .catch((error: unknown) => {
        problem.value = toApiProblem(error)
        saveState.value = ['state_conflict', 'content_changed'].includes(problem.value.code) ? 'conflict' : 'failed'
      })
      .finally(() => {
        running = null
      })
    await running
    if (problem.value !== null) return
    if (dirty) await save()
    else if (choosesPeople(content.value)) await check.run()
  }

  askBeforeUnload(() => dirty && isComplete(content.value))
  onScopeDispose(() => {
    clearTimeout(timer)
    gone = true
    if (dirty) void save()
  })
  if (existing !== null && choosesPeople(start)) void check.run()

  const complete = computed(() => isComplete(content.value))
  return { content, id, change, begin, save, saveState, savedAtMs, problem, complete, check }
}

/** Lets the browser ask before the page goes away, where something is not saved. */
function askBeforeUnload(unsaved: () => boolean): void {
  const ask = (event: BeforeUnloadEvent): void => {
    if (unsaved()) event.preventDefault()
  }
  window.addEventListener('beforeunload', ask)
  onScopeDispose(() => window.removeEventListener('beforeunload', ask))
}

/** The dry run of a campaign, computed by the server. `expire` marks what is shown as older than the draft. */
export function useDryRun(id: { readonly value: CampaignId | null }) {
  const result = shallowRef<DryRun | null>(null)
  const busy = ref(false)
  const fresh = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)
  let current = new AbortController()

  const run = async (): Promise<void> => {
    if (id.value === null) return
    current.abort()
    const mine = (current = new AbortController())
    busy.value = true
    try {
      const answer = await get<DryRun>(`/hr/campaigns/${id.value}/dry-run`, undefined, mine.signal)
      if (mine.signal.aborted) return
      result.value = answer
      problem.value = null
      fresh.value = true
    } catch (error) {
      if (mine.signal.aborted) return
      problem.value = toApiProblem(error)
    }
    busy.value = false
  }
  const expire = (): void => {
    fresh.value = false
    current.abort()
    busy.value = false
  }
  onScopeDispose(() => current.abort())
  return { result, busy, fresh, problem, run, expire }
}
