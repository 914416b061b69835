// npm start: the whole product in one process (web, worker, and outside production the sandbox with a demo company).
// FULIKA_ROLE=web or worker splits it for production.
import { join } from 'node:path'
import { handlers } from '../jobs/handlers.ts'
import { startSchedule } from '../jobs/schedule.ts'
import { startWorker } from '../jobs/worker.ts'
import { loadWorld, startSandbox, type RunningSandbox } from '../sandbox/world.ts'
import { createApp } from './app.ts'
import { ConfigProblems, readConfig, type Config } from './config.ts'
import { prepareDemo, tellAddresses } from './demo-company.ts'
import { offerDemoTills } from './demo-shops.ts'
import { connectDemoTill } from './demo-till.ts'
import { openHouse, type OpenHouse, type Outside } from './house.ts'
import { serve } from './kernel/http.ts'
import { createLog, type RootLog } from './kernel/log.ts'

/** A running process: its address, and how it stops without dropping what it holds. */
export interface Running {
  readonly url: string
  readonly open: OpenHouse
  stop(): Promise<void>
}

/** Starts what the role asks for; what began is ended again when something does not start. Throws ConfigProblems or an Error with a sentence for the operator. */
export async function start(config: Config, log: RootLog): Promise<Running> {
  const ends: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    while (ends.length > 0) await ends.pop()?.()
  }
  try {
    const { outside, sandbox } = await startOutside(config)
    if (sandbox !== null) ends.push(() => sandbox.close())
    const open = await openHouse(config, { log, outside })
    ends.push(() => open.close())
    if (outside !== null) await prepareDemo(open.edgeFor({ kind: 'system', name: 'demo' }), outside)
    if (config.role !== 'web') {
      const edge = open.edgeFor({ kind: 'system', name: 'worker' })
      const worker = startWorker(edge, handlers)
      ends.push(() => worker.stop())
      ends.push(startSchedule(edge))
      open.onJobs = worker.wake
    }
    if (config.role === 'worker') return { url: '', open, stop }
    const web = await serve(createApp(open, { log, trustProxy: config.trustProxy }), config.port, config.host)
    ends.push(() => web.close())
    if (outside !== null) {
      const demo = open.edgeFor({ kind: 'system', name: 'demo' })
      await tellAddresses(demo, outside)
      await connectDemoTill(demo, outside)
    }
    return { url: `http://${config.host}:${web.port}`, open, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startOutside(config: Config): Promise<{ outside: Outside | null; sandbox: RunningSandbox | null }> {
  if (config.sandbox === null) return { outside: null, sandbox: null }
  const world = loadWorld(join(config.dataDir, 'sandbox.json'))
  const { mode, ...ports } = config.sandbox
  if (mode === 'inside') {
    const sandbox = await startSandbox(world, ports)
    const { wecomUrl, payUrl, wechatUrl } = sandbox
    return { outside: { world, wecomUrl, payUrl, wechatUrl }, sandbox }
  }
  const at = (port: number): string => `http://127.0.0.1:${port}`
  const urls = { wecomUrl: at(ports.wecomPort), payUrl: at(ports.payPort), wechatUrl: at(ports.wechatPort) }
  return { outside: { world, ...urls }, sandbox: null }
}

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = createLog({ level: config.logLevel })
  const running = await start(config, log)
  if (config.sandbox !== null) {
    const demo = { kind: 'system', name: 'demo' } as const
    tellNewcomer(
      config,
      running.url,
      config.role === 'worker' ? null : await offerDemoTills(running.open.edgeFor(demo)),
    )
  }
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130)
      stopping = true
      running.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
  }
}

type DemoTills = Awaited<ReturnType<typeof offerDemoTills>>

function tellNewcomer(config: Config, url: string, tills: DemoTills): void {
  const at = (port: number): string => `http://127.0.0.1:${port}`
  const { wecomPort, payPort, wechatPort } = config.sandbox ?? { wecomPort: 0, payPort: 0, wechatPort: 0 }
  console.log(`
福利卡 Fulika 已启动（沙箱）  running with the sandbox

  管理后台 HR console     ${url}/console/    公司代号 company code: demo
  平台后台 platform       ${url}/ops/        访问密钥 access key: see operatorKey in ${config.dataDir}/sandbox.json
  员工手机 phones         ${at(wecomPort)}/phone
  店员收银 clerk's till   ${tills?.clerk ?? '-'}    (once)
  店长收银 manager's till ${tills?.manager ?? '-'}    (once)
  买家微信 buyers' phones ${at(wechatPort)}/phone
  外部手机 outside worker ${at(wecomPort)}/worker
  安装应用 app market     ${at(wecomPort)}/suites
  收银台和银行 cashier    ${at(payPort)}/cashier   ${at(payPort)}/bank
  收银机 POS till         ${at(payPort)}/till
  故障和时钟 dials        ${at(wecomPort)}/dials   ${at(payPort)}/dials   ${at(wechatPort)}/dials
`)
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    if (error instanceof ConfigProblems) {
      console.error('The environment does not fit:')
      for (const problem of error.problems) console.error(`  ${problem}`)
    } else console.error(error instanceof Error ? error.message : error)
    process.exitCode = 78
  })
}
