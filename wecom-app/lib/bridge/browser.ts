import { outcomeOf, unavailable, type Bridge, type Gap, type Outcome, type ShareCard, type ShareWay } from './bridge.ts'
import { copy, mayCopy, mayLocate, maySheet, openSheet, whereAmI } from './device.ts'

/** A plain browser: it can look, copy a link and tell where it is. `gap`: why nothing is sold here. */
export function browserBridge(gap: Gap): Bridge {
  const can = {
    signIn: gap,
    pay: gap,
    share: maySheet() || mayCopy() ? true : 'no_device',
    menu: 'client_only',
    notify: gap,
    scan: 'client_only',
    locate: mayLocate() ? true : 'no_device',
    close: 'client_only',
  } as const satisfies Bridge['can']
  const lacks = (why: true | Gap): Promise<Outcome<never>> => Promise.resolve(unavailable(why === true ? gap : why))
  return {
    channel: 'browser',
    can,
    signIn: () => unavailable(gap),
    pay: () => lacks(can.pay),
    share: (card) => (can.share === true ? shareInBrowser(card) : lacks(can.share)),
    menu: () => lacks(can.menu),
    notify: () => lacks(can.notify),
    scan: () => lacks(can.scan),
    locate: () => (can.locate === true ? outcomeOf(whereAmI) : lacks(can.locate)),
    close: () => lacks(can.close),
  }
}

/** By the phone's own sheet where it has one, else into the clipboard. */
export async function shareInBrowser({ text, url }: ShareCard): Promise<Outcome<ShareWay>> {
  return outcomeOf<ShareWay>(async () => {
    if (maySheet()) {
      await openSheet({ text, url })
      return 'sheet'
    }
    if (!(await copy(url))) throw new Error('clipboard refused')
    return 'copied'
  })
}
