import { invoiceAdapter, type InvoiceOptions } from '../channels/invoice/adapter.ts'
import type { InvoicePort } from '../channels/ports.ts'
import { Secret } from '../kernel/log.ts'
import type { PayWorld } from './paying.ts'

const key = 'SANDBOX-invoice-key-0001'

/** The real adapter before the sandbox's invoice service, which knows its key from here on. */
export async function invoicesOf(world: PayWorld, more: Partial<InvoiceOptions> = {}): Promise<InvoicePort> {
  await world.ctl('invoices/key', { key })
  const service = { url: world.sandbox.baseUrl, key: new Secret(key) }
  return invoiceAdapter({ service, now: () => Date.now() + world.shiftMs, ...more })
}

export interface SandboxInvoice {
  readonly number: string
  readonly title: string
  readonly taxNumber: string | null
  readonly amountFen: number
  readonly lines: readonly { readonly remark: string; readonly amountFen: number }[]
  readonly reverses: string | null
  readonly reversedBy: string | null
}

/** What the sandbox's service issued under these numbers. */
export async function issuedBySandbox(world: PayWorld, numbers: readonly string[]): Promise<SandboxInvoice[]> {
  const response = await fetch(`${world.sandbox.baseUrl}/__ctl/invoices`, { headers: { connection: 'close' } })
  const { documents } = (await response.json()) as { documents: SandboxInvoice[] }
  return documents.filter((one) => numbers.includes(one.number) || numbers.includes(one.reverses ?? ''))
}
