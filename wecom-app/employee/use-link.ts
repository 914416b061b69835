import { ref, type Ref } from 'vue'
import { copy, maySheet, openSheet } from '../lib/bridge/device.ts'

/** Passes a link on: by the phone's own sheet where it has one, else into the clipboard. */
export function useLink(): {
  readonly canShare: boolean
  readonly copied: Ref<boolean>
  readonly share: (text: string, url: string) => Promise<void>
  readonly copy: (url: string) => Promise<void>
} {
  const copied = ref(false)
  return {
    canShare: maySheet(),
    copied,
    // Whoever closes the sheet again has changed their mind: nothing is to be said.
    share: (text, url) => openSheet({ text, url }).catch(() => undefined),
    copy: async (url) => {
      copied.value = await copy(url)
    },
  }
}
