import { outcomeOf, unavailable, type Bridge, type Outcome } from './bridge.ts'
import { shareInBrowser } from './browser.ts'
import { mayLocate, whereAmI } from './device.ts'
import { closeWindow, scanCode, setSharing } from './wecom-client.ts'

/** WeCom's client. WeChat's sign-in and cashier are not in it: who wants to buy opens the page in WeChat. */
export function wecomBridge(): Bridge {
  const can = {
    signIn: 'open_in_wechat',
    pay: 'open_in_wechat',
    share: true,
    menu: true,
    notify: 'open_in_wechat',
    scan: true,
    locate: mayLocate() ? true : 'no_device',
    close: true,
  } as const satisfies Bridge['can']
  const elsewhere = (): Promise<Outcome<never>> => Promise.resolve(unavailable('open_in_wechat'))
  return {
    channel: 'wecom',
    can,
    signIn: () => unavailable('open_in_wechat'),
    pay: elsewhere,
    share: shareInBrowser,
    menu: (what) => setSharing(what !== 'nothing'),
    notify: elsewhere,
    scan: scanCode,
    locate: () => (can.locate === true ? outcomeOf(whereAmI) : Promise.resolve(unavailable(can.locate))),
    close: closeWindow,
  }
}
