import { onScopeDispose } from 'vue'

/** Does something every so often (ms) while the page is in sight; ends with the component. */
export function whileSeen(everyMs: number, act: () => void): void {
  const ticking = setInterval(() => {
    if (!document.hidden) act()
  }, everyMs)
  onScopeDispose(() => clearInterval(ticking))
}
