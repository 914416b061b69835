import { onScopeDispose } from 'vue'

/** Keeps the screen on while a code is shown, where the browser can; it lets go whenever the page is out of sight. */
export function keepAwake(): void {
  let lock: WakeLockSentinel | null = null
  let over = false
  const hold = async (): Promise<void> => {
    if (over || document.hidden || !('wakeLock' in navigator)) return
    lock = await navigator.wakeLock.request('screen').catch(() => null)
    if (over) void lock?.release()
  }
  const seen = (): void => void hold()
  document.addEventListener('visibilitychange', seen)
  void hold()
  onScopeDispose(() => {
    over = true
    document.removeEventListener('visibilitychange', seen)
    void lock?.release()
  })
}
