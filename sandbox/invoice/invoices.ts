import { createHmac, timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'koa'
import type Router from 'koa-router'
import { z } from 'zod'
import type { Place } from '../look/page.ts'
import type { Document } from './document.ts'
import { invoicesPage } from './invoices-page.ts'

const STALE_S = 300
const line = z.strictObject({
  name: z.literal('预付卡销售和充值'),
  code: z.literal('601'),
  rate: z.literal('不征税'),
  remark: z.string().max(200),
  amountFen: z.int().min(1),
})
const form = z.strictObject({
  number: z.string().regex(/^[0-9A-Za-z_-]{8,40}$/),
  kind: z.string(),
  title: z.string().min(1).max(100),
  /** Left out for a person. */
  taxNumber: z
    .string()
    .regex(/^[0-9A-Z]{15,20}$/)
    .nullable()
    .default(null),
  email: z.string().max(200).optional(),
  amountFen: z.int().min(1),
  lines: z.array(line).min(1).max(2000),
})
const reversal = z.strictObject({ number: z.string().regex(/^[0-9A-Za-z_-]{8,40}$/), reason: z.string().max(100) })
const kinds = ['fail_after', 'fail_before', 'slow', 'refuse_title', 'refuse_reversal', 'processing', 'busy'] as const
const fault = z.strictObject({
  kind: z.enum(kinds),
  times: z.int().min(1).max(1000).default(1),
  delayMs: z.int().min(0).max(60_000).default(3000),
})

interface Service {
  readonly now: () => number
  readonly documents: Map<string, Document>
  readonly refused: Map<string, string>
  faults: z.output<typeof fault>[]
  key: string
}
interface Told {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Mounts an electronic invoice service as README.md describes it. Bodies are raw in `ctx.state.raw`. */
export function mountInvoices(router: Router, now: () => number, place: Place): void {
  const service: Service = { now, documents: new Map(), refused: new Map(), faults: [], key: '' }
  const signed = (work: (ctx: Context & { params: Record<string, string> }) => Told) => async (ctx: Context) => {
    const refusal = judgeSignature(service, ctx)
    const told = refusal ?? (await withFaults(service, () => work(ctx as never)))
    ctx.status = told.status
    if (told.status === 429) ctx.set('retry-after', '1')
    ctx.body = told.body
  }
  router.get('/invoices', (ctx) => {
    // A browser looks at the page; it signs nothing.
    invoicesPage(ctx, place, [...service.documents.values()])
  })
  router.post(
    '/invoices',
    signed((ctx) => issue(service, readJson(ctx))),
  )
  router.get(
    '/invoices/:number',
    signed((ctx) => query(service, ctx.params['number'] ?? '')),
  )
  router.post(
    '/invoices/:number/reversals',
    signed((ctx) => reverse(service, ctx.params['number'] ?? '', readJson(ctx))),
  )
  mountInvoiceControl(router, service)
}

function mountInvoiceControl(router: Router, service: Service): void {
  const act = (path: string, run: (given: unknown) => unknown) =>
    router.post(path, (ctx) => {
      try {
        ctx.body = run(readJson(ctx))
      } catch (error) {
        if (!(error instanceof z.ZodError)) throw error
        ctx.status = 400
        ctx.body = { error: z.prettifyError(error) }
      }
    })
  act('/__ctl/invoices/key', (given) => {
    service.key = z.strictObject({ key: z.string().min(16).max(200) }).parse(given).key
    return {}
  })
  act('/__ctl/invoices/faults', (given) => {
    service.faults.push({ ...fault.parse(given) })
    return {}
  })
  router.get('/__ctl/invoices', (ctx) => {
    ctx.body = { documents: [...service.documents.values()].map(({ body: _body, ...rest }) => rest) }
  })
}

function readJson(ctx: Context): unknown {
  try {
    return JSON.parse((ctx.state['raw'] as Buffer).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

function judgeSignature(service: Service, ctx: Context): Told | null {
  const seconds = ctx.get('x-invoice-timestamp')
  const raw = ctx.state['raw'] as Buffer
  const wanted = createHmac('sha256', service.key).update(`${seconds}.${ctx.method}.${ctx.path}.`).update(raw).digest()
  const given = Buffer.from(ctx.get('x-invoice-signature'), 'hex')
  if (service.key === '' || given.length !== wanted.length || !timingSafeEqual(given, wanted))
    return told(401, { code: 'SIGNATURE_WRONG' })
  return Math.abs(service.now() / 1000 - Number(seconds)) > STALE_S ? told(401, { code: 'STALE' }) : null
}

const told = (status: number, body: Told['body']): Told => ({ status, body })

function take(service: Service, kind: (typeof kinds)[number]): z.output<typeof fault> | null {
  const found = service.faults.find((one) => one.kind === kind)
  if (!found) return null
  found.times -= 1
  service.faults = service.faults.filter((one) => one.times > 0)
  return found
}

async function withFaults(service: Service, work: () => Told): Promise<Told> {
  if (take(service, 'busy')) return told(429, { code: 'TOO_MANY' })
  if (take(service, 'fail_before')) return told(500, { code: 'SYSTEM' })
  const answer = work()
  // Chosen as the request arrives: one that is slow must not take a fault that was meant for a later one.
  const [slow, failing] = [take(service, 'slow'), take(service, 'fail_after')]
  if (slow) await sleep(slow.delayMs)
  return failing ? told(500, { code: 'SYSTEM' }) : answer
}

function issue(service: Service, given: unknown): Told {
  const parsed = form.safeParse(given)
  if (!parsed.success) return told(422, { code: 'FORM_INVALID' })
  const wish = parsed.data
  const body = JSON.stringify(wish)
  const before = service.documents.get(wish.number)
  if (before) return before.body === body ? answerOf(before) : told(409, { code: 'NUMBER_USED' })
  const code = take(service, 'refuse_title') ? 'TITLE_REFUSED' : judgeWish(wish)
  if (code !== null) {
    service.refused.set(wish.number, code)
    return told(422, { code })
  }
  service.refused.delete(wish.number)
  return keep(service, { ...wish, body, reverses: null })
}

function judgeWish(wish: z.output<typeof form>): string | null {
  if (wish.kind !== 'ordinary') return 'KIND_REFUSED'
  return wish.lines.reduce((sum, one) => sum + one.amountFen, 0) === wish.amountFen ? null : 'AMOUNT_WRONG'
}

function reverse(service: Service, number: string, given: unknown): Told {
  const parsed = reversal.safeParse(given)
  if (!parsed.success) return told(422, { code: 'FORM_INVALID' })
  const original = service.documents.get(number)
  if (!original || original.reverses !== null || original.waits > 0) return told(404, { code: 'NUMBER_UNKNOWN' })
  const body = JSON.stringify({ ...parsed.data, reverses: number })
  const before = service.documents.get(parsed.data.number)
  if (before) return before.body === body ? answerOf(before) : told(409, { code: 'NUMBER_USED' })
  if (original.reversedBy !== null) return told(409, { code: 'ALREADY_REVERSED' })
  if (take(service, 'refuse_reversal')) return told(422, { code: 'REVERSAL_REFUSED' })
  original.reversedBy = parsed.data.number
  const lines = original.lines.map((one) => ({ ...one, amountFen: -one.amountFen }))
  const { title, taxNumber } = original
  const amountFen = -original.amountFen
  return keep(service, { number: parsed.data.number, title, taxNumber, amountFen, lines, body, reverses: number })
}

type Kept = Pick<Document, 'number' | 'title' | 'taxNumber' | 'amountFen' | 'lines' | 'body' | 'reverses'>
function keep(service: Service, { number, title, taxNumber, amountFen, lines, body, reverses }: Kept): Told {
  const atMs = service.now()
  const issuedOn = new Date(atMs + 8 * 3_600_000).toISOString().slice(0, 10)
  const invoiceNumber = `SBX${String(service.documents.size + 1).padStart(17, '0')}`
  const facts = { number, title, taxNumber, amountFen, lines, body, reverses, atMs, issuedOn, invoiceNumber }
  const waits = take(service, 'processing') ? 1 : 0
  const document: Document = { ...facts, waits, reversedBy: null }
  service.documents.set(number, document)
  return answerOf(document)
}

function query(service: Service, number: string): Told {
  const document = service.documents.get(number)
  const refused = service.refused.get(number)
  if (!document && refused !== undefined) return told(200, { state: 'refused', number, code: refused })
  if (!document) return told(404, { code: 'NUMBER_UNKNOWN' })
  if (document.waits > 0) document.waits -= 1
  return answerOf(document)
}

const answerOf = ({ number, invoiceNumber, issuedOn, waits }: Document): Told =>
  told(200, waits > 0 ? { state: 'processing', number } : { state: 'issued', number, invoiceNumber, issuedOn })
