import { generateKeyPairSync } from 'node:crypto'
import { startWechatPaySandbox, type WechatPaySandbox } from '../../sandbox/wechatpay/server.ts'
import type { MerchantCredentials } from '../channels/wechatpay/crypto.ts'

/** A control call of the sandbox; throws unless it answers 200. */
export type Control = (
  path: string,
  body?: unknown,
  method?: 'GET' | 'POST' | 'DELETE',
) => Promise<Record<string, unknown>>

export interface WechatSandbox {
  readonly sandbox: WechatPaySandbox
  readonly ctl: Control
  /** Makes a merchant there that is bound to our app; its credentials. */
  readonly addMerchant: (mchid: string) => Promise<MerchantCredentials>
}

/** The app that merchants of tests are bound to. */
export const appid = 'wxsandbox0001'

/** Starts WeChat Pay on a port of its own, on a clock of the caller's. `verifyBy` is how its merchants know WeChat Pay. */
export async function startWechatSandbox(
  how: { readonly now?: () => number; readonly verifyBy?: 'public_key' | 'certificate' } = {},
): Promise<WechatSandbox> {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const { now = Date.now, verifyBy = 'public_key' } = how
  const sandbox = await startWechatPaySandbox({ noticeRetryScale: 0.001, now })
  const ctl: Control = async (path, body = {}, method = 'POST') => {
    const sent = method === 'GET' ? {} : { body: JSON.stringify(body) }
    // A kept connection may be closed by the other side while a long test blocks the loop.
    const response = await fetch(`${sandbox.baseUrl}/__ctl/${path}`, {
      method,
      headers: { connection: 'close' },
      ...sent,
    })
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }
  const addMerchant: WechatSandbox['addMerchant'] = async (mchid) => {
    const one = { mchid, appid, certSerial: `AA${mchid}`, apiV3Key: mchid.padEnd(32, '0') }
    await ctl('merchants', { ...one, publicKeyPem: pair.publicKey, shortName: '青禾食品', verifyBy })
    return { ...one, privateKeyPem: pair.privateKey }
  }
  return { sandbox, ctl, addMerchant }
}
