import { computed, ref, shallowRef, type ComputedRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { toApiProblem } from './api.ts'
import { useLoad, type Loaded } from './load.ts'

interface Page {
  readonly nextCursor: string | null
}

export interface Pages<P extends Page> {
  /** The pages that were read so far, first to last. */
  readonly pages: ComputedRef<readonly P[]>
  readonly state: Loaded<P>['state']
  readonly problem: Loaded<P>['problem']
  readonly hasMore: ComputedRef<boolean>
  /** Reads one page more; a fault is told by `failure`, and what is shown stays. */
  readonly more: () => Promise<void>
  readonly busy: Ref<boolean>
  readonly failure: Ref<string | null>
  /** Reads from the first page again. `forget`: what is shown is of another question and goes at once. */
  readonly readAnew: (forget?: 'forget') => Promise<void>
}

/** A list that is read page by page. `read` is asked with the cursor of the page; null for the first. */
export function usePages<P extends Page>(read: (cursor: string | null, signal?: AbortSignal) => Promise<P>): Pages<P> {
  const { t } = useI18n()
  const { data, state, problem, reload } = useLoad((signal) => read(null, signal))
  const later = shallowRef<readonly P[]>([])
  const pages = computed(() => (data.value === null ? [] : [data.value, ...later.value]))
  const busy = ref(false)
  const failure = ref<string | null>(null)
  /** Answers to an older question are dropped. */
  let question = 0

  async function readAnew(forget?: 'forget'): Promise<void> {
    question += 1
    if (forget !== undefined) data.value = null
    later.value = []
    failure.value = null
    await reload()
  }
  async function more(): Promise<void> {
    const asked = question
    busy.value = true
    failure.value = null
    try {
      const page = await read(pages.value.at(-1)?.nextCursor ?? null)
      if (asked === question) later.value = [...later.value, page]
    } catch (error) {
      const { status, message } = toApiProblem(error)
      failure.value = status === 0 ? t('common.error.network') : message
    }
    busy.value = false
  }
  const hasMore = computed(() => (pages.value.at(-1)?.nextCursor ?? null) !== null)
  return { pages, state, problem, hasMore, more, busy, failure, readAnew }
}
