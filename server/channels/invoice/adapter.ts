import { createHmac } from 'node:crypto'
import { z } from 'zod'
import type { Secret } from '../../kernel/log.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { readLimited } from '../../kernel/read-limited.ts'
import type { InvoiceAnswer, InvoicePort } from '../ports.ts'

export interface InvoiceOptions {
  /** The service's address, without a slash at the end, and the key we share; null: none is configured. */
  readonly service: { readonly url: string; readonly key: Secret<string> } | null
  readonly now: () => number
  readonly timeoutMs?: number
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch
}

/** 税务总局公告 2016 年第 53 号: selling prepaid cards is code 601, rate column 不征税. */
const GOODS = { name: '预付卡销售和充值', code: '601', rate: '不征税' } as const
/** An answer is some hundred bytes. */
const ANSWER_LIMIT = 64 * 1024
const Told = z.object({
  state: z.enum(['issued', 'processing', 'refused']).optional(),
  code: z
    .string()
    .regex(/^[A-Z0-9_]{1,40}$/)
    .optional(),
  invoiceNumber: z
    .string()
    .regex(/^[0-9A-Z]{8,40}$/)
    .optional(),
  issuedOn: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .optional(),
})

/**
 * An electronic invoice service over HTTPS with JSON, as sandbox/invoice/README.md describes it. Every request carries
 * `X-Invoice-Timestamp` in whole seconds and `X-Invoice-Signature` = hex of HMAC-SHA256(key, timestamp + "." + method +
 * "." + path + "." + raw body). 401 and 403 are `broken`, 429 `busy`, 408, 5xx and no whole answer `unknown`, 404 of a
 * query `unknown_number`; other 4xx a refusal with its code, and `broken` without one: then it was not the service that spoke. Neither title nor tax number stands in an error.
 */
export function invoiceAdapter(options: InvoiceOptions): InvoicePort {
  return {
    configured: options.service !== null,
    issueBody: ({ number, title, taxNumber, email, amount, lines }) =>
      JSON.stringify({
        number,
        kind: 'ordinary',
        title,
        ...(taxNumber === null ? {} : { taxNumber }),
        ...(email === null ? {} : { email }),
        amountFen: amount,
        lines: lines.map((line) => ({ ...GOODS, remark: line.remark, amountFen: line.amount })),
      }),
    issue: async (body) => judge(await call(options, 'POST', '/invoices', body)),
    reverse: async ({ number, redNumber }) => {
      const body = JSON.stringify({ number: redNumber, reason: 'refund' })
      return judge(await call(options, 'POST', `/invoices/${encodeURIComponent(number)}/reversals`, body))
    },
    query: async (number) => {
      const answered = await call(options, 'GET', `/invoices/${encodeURIComponent(number)}`, '')
      const unknown = answered.status === 404 && readTold(answered.text)?.code === 'NUMBER_UNKNOWN'
      return unknown ? { state: 'unknown_number' } : judge(answered)
    },
  }
}

interface Answered {
  readonly status: number
  readonly retryAfter: string | null
  readonly text: string
}

async function call(options: InvoiceOptions, method: 'GET' | 'POST', path: string, body: string): Promise<Answered> {
  const { service } = options
  if (service === null) throw new OutsideError('broken', 'not_configured', 'no invoice service is configured')
  const url = new URL(`${service.url}${path}`)
  const seconds = String(Math.floor(options.now() / 1000))
  const signed = `${seconds}.${method}.${url.pathname}.${body}`
  const signature = createHmac('sha256', service.key.reveal()).update(signed).digest('hex')
  const headers = {
    'x-invoice-timestamp': seconds,
    'x-invoice-signature': signature,
    ...(body === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
  }
  try {
    const signal = AbortSignal.timeout(options.timeoutMs ?? 10_000)
    const sent = body === '' ? {} : { body }
    const response = await (options.fetch ?? fetch)(url, { method, redirect: 'manual', headers, signal, ...sent })
    const text = (await readLimited(response, ANSWER_LIMIT, 'the invoice service')).toString('utf8')
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text }
  } catch (error) {
    if (error instanceof OutsideError) throw error
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    throw new OutsideError('unknown', timedOut ? 'TIMEOUT' : 'NETWORK', 'the invoice service gave no whole answer')
  }
}

function judge({ status, retryAfter, text }: Answered): InvoiceAnswer {
  const told = readTold(text)
  const code = told?.code ?? `HTTP_${status}`
  const message = `the invoice service answered ${status} ${code}`
  if (status === 429) throw new OutsideError('busy', code, message, waitOf(retryAfter))
  if (status === 401 || status === 403) throw new OutsideError('broken', code, message)
  // A path or method that it does not know is our configuration, not the invoice.
  if (status === 404 || status === 405) throw new OutsideError('broken', code, message)
  if (status >= 400 && status < 500 && status !== 408) {
    // A final no is the service's to say: a machine in between has no code, and the invoice is not lost by it.
    if (told?.code === undefined) throw new OutsideError('broken', code, message)
    return { state: 'refused', code }
  }
  if (status !== 200 || told?.state === undefined) throw new OutsideError('unknown', code, message)
  if (told.state !== 'issued') return told.state === 'refused' ? { state: 'refused', code } : { state: 'processing' }
  if (told.invoiceNumber === undefined || told.issuedOn === undefined)
    throw new OutsideError('unknown', 'INCOMPLETE', message)
  return { state: 'issued', providerNumber: told.invoiceNumber, issuedOn: told.issuedOn }
}

function readTold(text: string): z.output<typeof Told> | null {
  try {
    return Told.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

function waitOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter)
  return retryAfter !== null && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 1000
}
