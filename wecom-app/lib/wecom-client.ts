import type { PageSignature } from '../../contract/page-signature.ts'
import { send } from './api.ts'

/**
 * The one door to WeCom's client, in plain functions (protocols wecom, 3.6). Its library is loaded when something is
 * asked of it, never before; in any other browser, and whenever the client does not follow, each of these does nothing
 * and says so by its answer.
 */
type Client = typeof import('@wecom/jssdk')

/** Whether this page is shown by WeCom's client, as far as it says so itself. */
export function available(): boolean {
  return /wxwork/i.test(navigator.userAgent)
}

/** Closes the page's window; false where only the person can. */
export function closeWindow(): Promise<boolean> {
  return attempt((client) => client.closeWindow(), false)
}

/** Lets the client's menu pass this page on to others, or not. */
export function setSharing(on: boolean): Promise<boolean> {
  return attempt((client) => (on ? client.showOptionMenu() : client.hideOptionMenu()), true)
}

/** The text of a code that the person scans; null when they turn back or cannot. */
export async function scanCode(): Promise<string | null> {
  const scan = async (client: Client): Promise<string> => {
    const { resultStr = '' } = await client.scanQRCode({ needResult: true, scanType: [client.ScanQRCodeType.qrCode] })
    text = resultStr
    return resultStr
  }
  let text = ''
  return (await attempt(scan, true)) && text !== '' ? text : null
}

/** The accounts of colleagues whom the person picks in the client's own directory; null when they turn back or cannot. */
export async function selectPeople(): Promise<readonly string[] | null> {
  let picked: readonly string[] = []
  const select = async (client: Client): Promise<void> => {
    const { result } = await client.selectEnterpriseContact({
      fromDepartmentId: 0,
      mode: client.SelectEnterpriseContactMode.multi,
      type: [client.SelectEnterpriseContactType.user],
    })
    picked = result.userList.map((one) => one.id)
  }
  return (await attempt(select, true)) ? picked : null
}

/**
 * Shows the name of a member whom only WeCom may name (third-party apps) inside an element: the client draws it in a frame
 * of its own, and neither this page nor the server learns it. False where nothing was drawn.
 */
export async function showName(place: HTMLElement, userid: string): Promise<boolean> {
  // It stands in a template: nothing that could end the attribute gets in.
  if (!/^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/.test(userid)) return false
  let drawn = false
  const draw = (client: Client): Promise<void> =>
    new Promise((resolve, reject) => {
      client.createOpenDataFrameFactory({ handleError: reject }).createOpenDataFrame({
        el: place,
        template: `<ww-open-data type="userName" openid="${userid}"></ww-open-data>`,
        handleMounted: () => {
          drawn = true
          resolve()
        },
        handleError: reject,
      })
    })
  return (await attempt(draw, true)) && drawn
}

/** Does one thing in the client. `asApp`: it needs the app's identity, so the page must be signed first. */
async function attempt(work: (client: Client) => Promise<unknown>, asApp: boolean): Promise<boolean> {
  if (!available()) return false
  try {
    const client = await (loading ??= import('@wecom/jssdk'))
    if (asApp) await register(client)
    await work(client)
    return true
  } catch {
    // Turned back by the person, not allowed by the company, or an old client: the page goes on without.
    loading = null
    return false
  }
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

/** Where a scanned text leads inside this site; null for any other address, however much it looks like one of ours. */
export function ownPlace(text: string): string | null {
  const bare = text.trim()
  if (!URL.canParse(bare)) return null
  const url = new URL(bare)
  const plain = url.username === '' && url.password === '' && /^https?:$/.test(url.protocol)
  return plain && url.origin === location.origin ? `${url.pathname}${url.search}${url.hash}` : null
}
