// npm run sandbox: WeCom, WeChat, WeChat Pay and a bank by themselves, on fixed ports; prints where they are and with which
// credentials, as one JSON object. A server takes them with FULIKA_SANDBOX=outside.
import { join } from 'node:path'
import { loadWorld, startSandbox } from './world.ts'

function portOf(name: string, otherwise: number): number {
  const text = process.env[name] || String(otherwise)
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new Error(`${name}: a port from 0 to 65535 is expected`)
}

async function main(): Promise<void> {
  const world = loadWorld(join(process.env['FULIKA_DATA_DIR'] || 'data', 'sandbox.json'))
  const running = await startSandbox(world, {
    wecomPort: portOf('FULIKA_SANDBOX_WECOM_PORT', 8091),
    payPort: portOf('FULIKA_SANDBOX_PAY_PORT', 8092),
    wechatPort: portOf('FULIKA_SANDBOX_WECHAT_PORT', 8093),
  })
  const { wecomUrl, payUrl, wechatUrl } = running
  console.log(
    JSON.stringify({
      wecom: {
        baseUrl: wecomUrl,
        phones: `${wecomUrl}/phone`,
        dials: `${wecomUrl}/dials`,
        callbackPage: `${wecomUrl}/callback`,
        ...world.wecom,
        provider: world.wecomProvider,
      },
      wechatPay: {
        baseUrl: payUrl,
        cashier: `${payUrl}/cashier`,
        bank: `${payUrl}/bank`,
        dials: `${payUrl}/dials`,
        platformPublicKeyId: world.platformKey.id,
        platformPublicKeyPem: world.platformKey.publicPem,
        merchants: world.merchants,
      },
      wechat: { baseUrl: wechatUrl, phones: `${wechatUrl}/phone`, dials: `${wechatUrl}/dials`, ...world.wechat },
      sms: { url: `${wecomUrl}/sms/messages`, ...world.sms },
      invoice: { url: payUrl, page: `${payUrl}/invoices`, ...world.invoice },
      operatorKey: world.operatorKey,
    }),
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close())
}

main().catch((error: unknown) => {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const hint = code === 'EADDRINUSE' ? '; is a sandbox already running? FULIKA_SANDBOX_*_PORT names other ports' : ''
  console.error(`the sandbox does not start: ${error instanceof Error ? error.message : String(error)}${hint}`)
  process.exitCode = 1
})
