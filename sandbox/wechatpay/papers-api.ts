import type Router from 'koa-router'
import type { RouterContext } from 'koa-router'
import { z } from 'zod'
import type { Api } from './api.ts'
import { changeBill, downloadBill, forgetBills, requestBill } from './bills.ts'
import { listCertificates } from './certificates.ts'
import { addIncome, incomeInput, listIncome } from './income.ts'
import { billChanges, billKinds } from './papers-state.ts'
import { readControl } from './read-control.ts'
import type { World } from './state.ts'

/** What a merchant reads afterwards: bills, bank income, certificates (protocol sheet 1.4, 2.7, 5.8, 7). */
export function mountPapers(router: Router, world: World, api: Api): void {
  const get = (ctx: RouterContext) => (name: string) => String(ctx.query[name] ?? '')
  const paths = { trade: '/v3/bill/tradebill', fund_flow: '/v3/bill/fundflowbill', sharing: '/v3/profitsharing/bills' }
  for (const kind of billKinds) {
    router.get(paths[kind], (ctx) =>
      api(ctx, (merchant) => requestBill(world, merchant, kind, get(ctx), `${ctx.protocol}://${ctx.host}`)),
    )
  }
  router.get('/v3/billdownload/file', (ctx) => api(ctx, (merchant) => downloadBill(world, merchant, get(ctx)('token'))))
  router.get('/v3/merchantfund/merchant/income-records', (ctx) =>
    api(ctx, (merchant) => listIncome(world, merchant, { ...ctx.query })),
  )
  router.get('/v3/certificates', (ctx) =>
    api(ctx, (merchant) => listCertificates(world, merchant, get(ctx)('algorithm_type'))),
  )
}

export const billInput = z.strictObject({
  kind: z.enum(billKinds),
  mchid: z.string(),
  day: z.iso.date(),
  change: z.enum(billChanges),
  holding: z.string().min(1).nullable().default(null),
  hours: z.coerce.number().int().min(1).max(240).default(24),
})
const formInput = z.strictObject({ bom: z.boolean().optional(), crlf: z.boolean().optional() })

/** The control side of bills and bank income. */
export function mountPapersControl(router: Router, world: World): void {
  router.post('/__ctl/bills', (ctx) => {
    const input = readControl(ctx, billInput)
    if (!input) return
    changeBill(world, input)
    ctx.body = { changes: world.bills.changes }
  })
  router.delete('/__ctl/bills', (ctx) => {
    world.bills.changes = []
    forgetBills(world)
    ctx.body = { changes: [] }
  })
  router.post('/__ctl/bill-form', (ctx) => {
    const input = readControl(ctx, formInput)
    if (!input) return
    const { form } = world.bills
    world.bills.form = { bom: input.bom ?? form.bom, crlf: input.crlf ?? form.crlf }
    forgetBills(world)
    ctx.body = world.bills.form
  })
  router.post('/__ctl/income', (ctx) => {
    const input = readControl(ctx, incomeInput)
    if (!input) return
    const income = addIncome(world, input)
    ctx.status = income ? 200 : 404
    ctx.body = income ?? { error: 'no such merchant' }
  })
}
