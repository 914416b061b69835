import { MessagePlugin } from 'tdesign-vue-next'

/** Copies a text and says so; where the browser does not allow it, says to select it by hand. */
export async function copyText(text: string, words: { readonly done: string; readonly failed: string }): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    void MessagePlugin.success(words.done)
  } catch {
    void MessagePlugin.warning(words.failed)
  }
}
