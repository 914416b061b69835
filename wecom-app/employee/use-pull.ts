import { onMounted, onScopeDispose, ref, type Ref } from 'vue'

/** How far a page is pulled before letting go means something, and how far it can be. */
const ENOUGH_PX = 56
const MOST_PX = 96
const DONE_MS = 700
/** A page follows the finger slower than it moves: it says that there is an end. */
const DRAG = 0.5

type Step = 'pull' | 'release' | 'reading' | 'done'

/** Lets a finger pull the page down from its top to read it anew. For keyboards and mice the page has a button besides. */
export function usePull(refresh: () => Promise<void>): {
  readonly step: Ref<Step | null>
  readonly pulledPx: Ref<number>
} {
  const step = ref<Step | null>(null)
  const pulledPx = ref(0)
  let fromY: number | null = null

  const begin = (event: TouchEvent): void => {
    // A second finger on a page that is being pulled changes nothing.
    if (step.value !== null) return
    fromY = scrollY <= 0 && event.touches.length === 1 ? (event.touches[0]?.clientY ?? null) : null
  }
  const move = (event: TouchEvent): void => {
    if (fromY === null) return
    const px = ((event.touches[0]?.clientY ?? fromY) - fromY) * DRAG
    if (px <= 0 && pulledPx.value === 0) return
    if (event.cancelable) event.preventDefault()
    pulledPx.value = Math.max(0, Math.min(px, MOST_PX))
    step.value = pulledPx.value < ENOUGH_PX ? 'pull' : 'release'
  }
  const end = async (): Promise<void> => {
    fromY = null
    if (step.value === 'reading' || step.value === 'done') return
    if (step.value === 'release') {
      step.value = 'reading'
      pulledPx.value = ENOUGH_PX
      await refresh()
      step.value = 'done'
      await new Promise((resolve) => setTimeout(resolve, DONE_MS))
    }
    pulledPx.value = 0
    step.value = null
  }
  const listeners = { touchstart: begin, touchmove: move, touchend: () => void end(), touchcancel: () => void end() }
  onMounted(() => {
    for (const [name, act] of Object.entries(listeners))
      document.addEventListener(name, act as EventListener, { passive: name !== 'touchmove' })
  })
  onScopeDispose(() => {
    for (const [name, act] of Object.entries(listeners)) document.removeEventListener(name, act as EventListener)
  })
  return { step, pulledPx }
}
