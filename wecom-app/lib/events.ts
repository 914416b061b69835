import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'

export type LiveState = 'waiting' | 'live' | 'stale' | 'ended'

/**
 * Follows server-sent events of one name as long as the component lives. A lost connection makes the state `stale`
 * (what is shown may be old) and is taken up again with growing waits; `ended` once `isLast` says so.
 */
export function useEvents<T>(
  url: () => string | null,
  name: string,
  isLast: (data: T) => boolean = () => false,
): { readonly data: ShallowRef<T | null>; readonly state: Ref<LiveState>; readonly reconnect: () => void } {
  const data = shallowRef<T | null>(null)
  const state = ref<LiveState>('waiting')
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0

  const stop = (): void => {
    clearTimeout(timer)
    source?.close()
    source = null
  }
  const start = (): void => {
    stop()
    const address = url()
    if (address === null) return
    source = new EventSource(address)
    source.addEventListener(name, (event: MessageEvent<string>) => {
      failures = 0
      data.value = JSON.parse(event.data) as T
      state.value = isLast(data.value) ? 'ended' : 'live'
      if (state.value === 'ended') stop()
    })
    source.addEventListener('error', () => {
      stop()
      state.value = 'stale'
      failures += 1
      timer = setTimeout(start, Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 5)))
    })
  }
  watch(
    url,
    () => {
      data.value = null
      state.value = 'waiting'
      failures = 0
      start()
    },
    { immediate: true },
  )
  onScopeDispose(stop)
  return { data, state, reconnect: start }
}
