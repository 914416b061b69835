import type { PageSignature } from '../../../contract/page-signature.ts'
import { send } from '../api.ts'
import { outcomeOf, unavailable, within, type Outcome } from './bridge.ts'
import { channel } from './channel.ts'

/**
 * The one door to WeCom's client, in plain functions (protocols wecom, 3.6). Its library is loaded when something is
 * asked of it, never before; in any other browser each of these does nothing and says so by its answer.
 */
type Client = typeof import('@wecom/jssdk')

/** Closes the page's window. */
export const closeWindow = (): Promise<Outcome> =>
  attempt(async (client) => (await within(client.closeWindow(), 'closeWindow is silent'), null), false)

/** Lets the client's menu pass this page on to others, or not. */
export const setSharing = (on: boolean): Promise<Outcome> =>
  attempt(
    async (client) => (
      await within(on ? client.showOptionMenu() : client.hideOptionMenu(), 'the menu is silent'),
      null
    ),
    true,
  )

/** The text of a code that the person scans. */
export const scanCode = (): Promise<Outcome<string>> =>
  attempt(async (client) => {
    const { resultStr = '' } = await client.scanQRCode({ needResult: true, scanType: [client.ScanQRCodeType.qrCode] })
    if (resultStr === '') throw new Error('cancel')
    return resultStr
  }, true)

/** The accounts of colleagues whom the person picks in the client's own directory. */
export const selectPeople = (): Promise<Outcome<readonly string[]>> =>
  attempt(async (client) => {
    const { result } = await client.selectEnterpriseContact({
      fromDepartmentId: 0,
      mode: client.SelectEnterpriseContactMode.multi,
      type: [client.SelectEnterpriseContactType.user],
    })
    return result.userList.map((one) => one.id)
  }, true)

/**
 * Shows the name of a member whom only WeCom may name (third-party apps) inside an element: the client draws it in a frame
 * of its own, and neither this page nor the server learns it. False where nothing was drawn.
 */
export async function showName(place: HTMLElement, userid: string): Promise<boolean> {
  // It stands in a template: nothing that could end the attribute gets in.
  if (!/^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/.test(userid)) return false
  const draw = (client: Client): Promise<void> =>
    new Promise((resolve, reject) => {
      client.createOpenDataFrameFactory({ handleError: reject }).createOpenDataFrame({
        el: place,
        template: `<ww-open-data type="userName" openid="${userid}"></ww-open-data>`,
        handleMounted: resolve,
        handleError: reject,
      })
    })
  return (await attempt(draw, true)).kind === 'done'
}

/** Does one thing in the client. `asApp`: it needs the app's identity, so the page must be signed first. */
async function attempt<T>(work: (client: Client) => Promise<T>, asApp: boolean): Promise<Outcome<T>> {
  if (channel() !== 'wecom') return unavailable('client_only')
  const outcome = await outcomeOf(async () => {
    const client = await (loading ??= import('@wecom/jssdk'))
    if (asApp) await register(client)
    return work(client)
  })
  // Not loaded, not allowed by the company, or an old client: the next call begins anew.
  if (outcome.kind === 'failed') loading = null
  return outcome
}

let loading: Promise<Client> | null = null
/** The address that the client was last told of: pages with histories are signed one by one. */
let registered = ''

async function register(client: Client): Promise<void> {
  const page = location.href.split('#', 1)[0] ?? ''
  if (registered === page) return
  const audience = location.pathname.startsWith('/console') ? 'hr' : 'employee'
  const signed = await send<PageSignature>('POST', `/${audience}/js/signature`, { url: page })
  client.register({
    corpId: signed.corpId,
    agentId: signed.agentId,
    ...(signed.suiteId === null ? {} : { suiteId: signed.suiteId }),
    jsApiList: ['closeWindow', 'hideOptionMenu', 'showOptionMenu', 'scanQRCode', 'selectEnterpriseContact'],
    getConfigSignature: () => signed.config,
    getAgentConfigSignature: () => signed.agentConfig,
  })
  registered = page
}
