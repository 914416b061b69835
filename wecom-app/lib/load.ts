import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { toApiProblem, type ApiProblem } from './api.ts'

export type LoadState = 'loading' | 'ready' | 'error' | 'denied'

export interface Loaded<T> {
  readonly data: ShallowRef<T | null>
  readonly problem: ShallowRef<ApiProblem | null>
  readonly state: Ref<LoadState>
  /** Reads again; what is shown stays until the new answer is here. The latest call wins. */
  readonly reload: () => Promise<void>
}

/** Reads something for a page, at once, and says how it stands. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const data = shallowRef<T | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const state = ref<LoadState>('loading')
  let running = new AbortController()

  const reload = async (): Promise<void> => {
    running.abort()
    const mine = (running = new AbortController())
    if (data.value === null) state.value = 'loading'
    try {
      const answer = await read(mine.signal)
      if (mine.signal.aborted) return
      data.value = answer
      problem.value = null
      state.value = 'ready'
    } catch (error) {
      if (mine.signal.aborted) return
      problem.value = toApiProblem(error)
      state.value = problem.value.status === 403 ? 'denied' : 'error'
    }
  }
  onScopeDispose(() => running.abort())
  void reload()
  return { data, problem, state, reload }
}
