// npm run sandbox: WeCom, WeChat Pay and a bank by themselves, on fixed ports; prints where they are and with which
// credentials, as one JSON object. A server takes them with FULIKA_SANDBOX=outside.
import { join } from 'node:path'
import { loadWorld, startSandbox } from './world.ts'

const numberOf = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const world = loadWorld(join(process.env['FULIKA_DATA_DIR'] ?? 'data', 'sandbox.json'))
const running = await startSandbox(world, {
  wecomPort: numberOf('FULIKA_SANDBOX_WECOM_PORT', 8091),
  payPort: numberOf('FULIKA_SANDBOX_PAY_PORT', 8092),
})
console.log(
  JSON.stringify({
    wecom: { baseUrl: running.wecomUrl, phones: `${running.wecomUrl}/phone`, ...world.wecom },
    wechatPay: {
      baseUrl: running.payUrl,
      bank: `${running.payUrl}/bank`,
      platformPublicKeyId: world.platformKey.id,
      platformPublicKeyPem: world.platformKey.publicPem,
      merchants: world.merchants,
    },
    operatorKey: world.operatorKey,
  }),
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close())
