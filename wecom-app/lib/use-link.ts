import { ref, type Ref } from 'vue'
import { copy, maySheet } from './bridge/device.ts'

/** A link that is passed on: whether the phone has a sheet of its own for that, and the clipboard for where it has none. */
export function useLink(): {
  readonly canShare: boolean
  readonly copied: Ref<boolean>
  readonly copy: (url: string) => Promise<void>
} {
  const copied = ref(false)
  return {
    canShare: maySheet(),
    copied,
    copy: async (url) => {
      copied.value = await copy(url)
    },
  }
}
