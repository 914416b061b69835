import { needTexts } from './texts.ts'

/** Brings the pages that follow the pack, with their texts: a phone may be without network when they are wanted. */
export async function bringNext(): Promise<void> {
  const pages = [import('./pages/card/CardPage.vue'), import('./pages/pay/PayPage.vue'), import('./BarCode.vue')]
  // What does not come now comes with the tap.
  await Promise.all([needTexts(['card', 'pay']), ...pages]).catch(() => undefined)
}
