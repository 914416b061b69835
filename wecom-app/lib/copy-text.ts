import { MessagePlugin } from 'tdesign-vue-next'
import { copy } from './bridge/device.ts'

/** Copies a text and says so; where the browser does not allow it, says to select it by hand. */
export async function copyText(text: string, words: { readonly done: string; readonly failed: string }): Promise<void> {
  if (await copy(text)) void MessagePlugin.success(words.done)
  else void MessagePlugin.warning(words.failed)
}
