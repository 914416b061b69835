import { ref } from 'vue'

const key = 'fulika.largeText'

/** Whether this phone shows large text. `early.ts` reads it before this is there. */
export const largeText = ref(localStorage.getItem(key) === 'yes')

/** Changes the size of the text and keeps it on this phone. */
export function toggleLargeText(): void {
  largeText.value = !largeText.value
  localStorage.setItem(key, largeText.value ? 'yes' : 'no')
  document.documentElement.dataset['text'] = largeText.value ? 'large' : 'usual'
}
