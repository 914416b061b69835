import { ref } from 'vue'

const key = 'fulika.largeText'

/** Whether this phone shows large text. */
export const largeText = ref(localStorage.getItem(key) === 'yes')

/** Changes the size of the text and keeps it on this phone. */
export function toggleLargeText(): void {
  largeText.value = !largeText.value
  localStorage.setItem(key, largeText.value ? 'yes' : 'no')
  showTextSize()
}

/** Puts the size that was chosen on the page. */
export function showTextSize(): void {
  document.documentElement.dataset['text'] = largeText.value ? 'large' : 'usual'
}
