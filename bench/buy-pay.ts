/**
 * WeChat Pay for `bench -- buy`, a process of its own: the sandbox over HTTP with one merchant, every order that is placed held
 * back for the given time. Its one message says where it is and with which keys.
 */
import { generateKeyPairSync } from 'node:crypto'
import { startWechatPaySandbox } from '../sandbox/wechatpay/server.ts'

/** Where WeChat Pay is, and what its merchant signs with. */
export interface PayGround {
  readonly baseUrl: string
  readonly platformKeyId: string
  readonly platformPublicPem: string
  readonly merchant: {
    readonly mchid: string
    readonly appid: string
    readonly certSerial: string
    readonly apiV3Key: string
    readonly privateKeyPem: string
  }
}

/** What it has used of the processor until it was asked. */
export interface PayLook {
  readonly cpuSeconds: number
}

const delayMs = Number(process.argv[2])
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const sandbox = await startWechatPaySandbox()

async function ctl(path: string, body: object): Promise<void> {
  const answer = await fetch(`${sandbox.baseUrl}/__ctl/${path}`, { method: 'POST', body: JSON.stringify(body) })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
}

const one = { mchid: '1900000001', appid: 'wxbench0001', certSerial: 'AA1900000001', apiV3Key: 'k'.repeat(32) }
await ctl('merchants', { ...one, publicKeyPem: pair.publicKey, shortName: '沐光咖啡' })
await ctl('faults', { kind: 'delay', path: '/v3/pay/transactions/jsapi', times: 1_000_000, delayMs })
const ground: PayGround = {
  baseUrl: sandbox.baseUrl,
  platformKeyId: sandbox.platformPublicKeyId,
  platformPublicPem: sandbox.platformPublicKeyPem,
  merchant: { ...one, privateKeyPem: pair.privateKey },
}
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuSeconds: (user + system) / 1e6 } satisfies PayLook)
})
process.once('disconnect', () => process.exit(0))
process.send?.(ground)
