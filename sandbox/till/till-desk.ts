import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import type Router from 'koa-router'
import { z } from 'zod'
import { goBack, yuan, type Place } from '../look/page.ts'
import { chinaDay } from './journal.ts'
import { cuts, LineCut, type Cut } from './line.ts'
import { tillPage } from './till-page.ts'
import type { TillWorld } from './till-world.ts'
import { openTill, type Outcome, type Till } from './till.ts'

const MOST_EVENTS = 50
const Connection = z.strictObject({
  serverUrl: z.url({ protocol: /^https?$/ }),
  terminalId: z.string().regex(/^trm_[0-9A-Z]{13}$/),
  secret: z.string().min(20).max(200),
  webhookSecret: z.string().max(200).default(''),
})

/** Mounts the till: its page, its buttons, where it is told of events, and a control call that connects it. */
export function mountTill(router: Router, place: Place): void {
  const world: TillWorld = {
    line: null,
    till: null,
    webhookSecret: '',
    cut: null,
    cutTimes: 0,
    day: chinaDay(Date.now()),
    compared: null,
    events: [],
  }
  router.get('/till', (ctx) => tillPage(ctx, place, world))
  router.post('/till/webhook', (ctx) => takeEvent(ctx, world))
  router.post('/__ctl/till', (ctx) => {
    const parsed = Connection.safeParse(jsonOf(ctx))
    if (parsed.success) connect(world, parsed.data)
    ctx.status = parsed.success ? 204 : 400
  })
  const act = (path: string, run: (form: Readonly<Record<string, string>>) => Promise<Told> | Told) =>
    router.post(path, async (ctx) => {
      const form = Object.fromEntries(new URLSearchParams(rawOf(ctx).toString('utf8')))
      goBack(ctx, '/till', await run(form))
    })
  act('/till/connect', (form) => {
    const parsed = Connection.safeParse(form)
    if (!parsed.success) return { wrong: '没有接入：请核对平台地址、终端号和密钥。' }
    connect(world, parsed.data)
    return { done: '已接入。' }
  })
  act('/till/cut', ({ on = '', cut = '', times = '' }) => {
    const wanted = cuts.find((one) => one === cut) ?? null
    world.cut = on === 'yes' ? wanted : null
    world.cutTimes = world.cut === null ? 0 : Math.min(Math.max(Number(times) || 1, 1), 100)
    return { done: world.cut === null ? '网络已恢复。' : '已断网，下一次请求起生效。' }
  })
  mountSales(act, world)
}

type Told = { readonly done: string } | { readonly wrong: string }
type Act = (path: string, run: (form: Readonly<Record<string, string>>) => Promise<Told> | Told) => unknown
const noTill: Told = { wrong: '还没有接入终端。' }

function mountSales(act: Act, world: TillWorld): void {
  act('/till/sales', async ({ codes = '', yuan: written = '', partial, how = '' }) => {
    if (world.till === null) return noTill
    const shown = codes.split(/[\s,]+/).filter((code) => code !== '')
    if (how === 'balance') return sayBalance(await world.till.balance(shown[0] ?? ''))
    const billFen = fenOf(written)
    if (billFen < 1) return { wrong: '金额要大于 0，最多两位小数。' }
    const wish = { codes: shown, billFen, capture: how === 'capture', partial: partial === 'on' }
    const { sale, outcome } = await world.till.sell(wish)
    return sayOutcome(outcome, `单号 ${sale.ref}`)
  })
  act('/till/acts', async ({ ref = '', act: what = '', yuan: written = '' }) => {
    const { till } = world
    const sale = till?.sales.find((one) => one.ref === ref)
    if (!till || !sale) return noTill
    const amountFen = fenOf(written)
    if (what === 'void') return sayOutcome(await till.void(sale), `单号 ${ref}`)
    if (amountFen < 1) return { wrong: '金额要大于 0，最多两位小数。' }
    if (what === 'refund') return sayOutcome(await till.refund(sale, amountFen), `单号 ${ref}`)
    return sayOutcome(await till.capture(sale, amountFen, what === 'final'), `单号 ${ref}`)
  })
  act('/till/reconcile', async () => {
    if (world.till === null) return noTill
    const left = await world.till.reconcile()
    return left === 0 ? { done: '都问清了。' } : { wrong: `还有 ${left} 笔没有问到结果，请再试。` }
  })
  act('/till/day', async ({ day = '' }) => {
    if (world.till === null || !/^\d{4}-\d\d-\d\d$/.test(day)) return noTill
    world.day = day
    world.compared = null
    try {
      world.compared = await world.till.compareDay(day)
    } catch (error) {
      if (!(error instanceof LineCut)) throw error
      return { wrong: '没有比对：有交易还不清楚结果，或文件没有下载完整。请先问清，再试。' }
    }
    const { differences } = world.compared
    return differences.length === 0 ? { done: '对账完成，零差异。' } : { wrong: `有 ${differences.length} 笔差异。` }
  })
}

/** The till signs with the real time, whatever the sandbox's clock shows. */
function connect(world: TillWorld, { webhookSecret, ...line }: z.output<typeof Connection>): void {
  world.line = line
  world.webhookSecret = webhookSecret
  world.compared = null
  world.till = openTill({ ...line, now: Date.now, nextCut: () => takeCut(world) })
}

function takeCut(world: TillWorld): Cut | null {
  const { cut } = world
  if (cut !== null) world.cutTimes -= 1
  if (world.cutTimes <= 0) world.cut = null
  return cut
}

/** Takes an event whose signature holds; what is told twice is shown twice. */
function takeEvent(ctx: Context, world: TillWorld): void {
  const body = rawOf(ctx).toString('utf8')
  const signed = isSigned(ctx, world.webhookSecret, body)
  const told = { atMs: Date.now(), event: ctx.get('fulika-event').slice(0, 40), signed, body: body.slice(0, 2000) }
  world.events = [...world.events, told].slice(-MOST_EVENTS)
  ctx.status = signed ? 204 : 401
}

function isSigned(ctx: Context, secret: string, body: string): boolean {
  const stamp = ctx.get('fulika-timestamp')
  const right = `v1=${createHmac('sha256', secret).update(`${stamp}.${body}`).digest('hex')}`
  const said = ctx.get('fulika-signature')
  const fresh = Math.abs(Date.now() / 1000 - Number(stamp)) <= 300
  return (
    secret !== '' && fresh && said.length === right.length && timingSafeEqual(Buffer.from(said), Buffer.from(right))
  )
}

function sayOutcome(outcome: Outcome, of: string): Told {
  if (outcome.told === 'refused') return { wrong: `${of} 被拒绝：${outcome.title}` }
  if (outcome.told === 'unknown')
    return {
      wrong: `${of} 没有收到应答${outcome.code === undefined ? '' : `（${outcome.code}）`}，请向平台问清后再操作。`,
    }
  const { authorisedFen, capturedFen, refundedFen, cashFen } = outcome.purchase
  const cash = cashFen > 0 ? `，另收 ${yuan(cashFen)} 元` : ''
  return {
    done: `${of} 成功：预留 ${yuan(authorisedFen)}，已扣 ${yuan(capturedFen)}，已退 ${yuan(refundedFen)} 元${cash}。`,
  }
}

function sayBalance(told: Awaited<ReturnType<Till['balance']>>): Told {
  if (told === null) return { wrong: '没有收到应答，请再查一次。' }
  return 'availableFen' in told ? { done: `可用 ${yuan(told.availableFen)} 元。` } : { wrong: `查不到：${told.code}` }
}

function jsonOf(ctx: Context): unknown {
  try {
    return JSON.parse(rawOf(ctx).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

const rawOf = (ctx: Context): Buffer => ctx.state['raw'] as Buffer

function fenOf(written: string): number {
  const plain = written.trim().replaceAll(',', '')
  return /^\d{1,9}(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : 0
}
