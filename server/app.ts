import type Koa from 'koa'
import { readBankStatement } from '../importers/bank-statement.ts'
import type { OpenHouse } from './house.ts'
import type { Actor } from './kernel/context.ts'
import type { Endpoint } from './kernel/endpoint.ts'
import { createHttpApp } from './kernel/http.ts'
import type { RootLog } from './kernel/log.ts'
import { createHttpMetrics } from './kernel/metrics.ts'
import { sql } from './kernel/sql.ts'
import { analyticsEndpoints } from './modules/analytics/endpoints.ts'
import { keysEndpoints } from './modules/analytics/keys-endpoints.ts'
import { fundsEndpoints } from './modules/analytics/funds-endpoints.ts'
import { reportEndpoints } from './modules/analytics/report-endpoints.ts'
import { buyerEndpoints } from './modules/buyer/endpoints.ts'
import { isBuyerKnown } from './modules/buyer/read-buyer.ts'
import { trustEndpoints } from './modules/analytics/trust-endpoints.ts'
import { campaignEndpoints } from './modules/campaign/endpoints.ts'
import { bindEndpoints } from './modules/cardpack/bind-endpoints.ts'
import { cardActEndpoints } from './modules/cardpack/card-act-endpoints.ts'
import { cardpackEndpoints } from './modules/cardpack/endpoints.ts'
import { giftEndpoints } from './modules/cardpack/gift-endpoints.ts'
import { storePackEndpoints } from './modules/cardpack/store-endpoints.ts'
import { catalogEndpoints } from './modules/catalog/endpoints.ts'
import { complianceEndpoints } from './modules/compliance/endpoints.ts'
import { measureCustody } from './modules/compliance/measure-custody.ts'
import { createAuthenticate } from './modules/company/authenticate.ts'
import { companyEndpoints } from './modules/company/endpoints.ts'
import { measureWecom } from './modules/company/measure-wecom.ts'
import { claimEndpoints } from './modules/contact/claim-endpoints.ts'
import { contactEndpoints } from './modules/contact/endpoints.ts'
import { coverEndpoints } from './modules/cover/endpoints.ts'
import { deliveryEndpoints } from './modules/delivery/endpoints.ts'
import { licenceEndpoints } from './modules/delivery/licence-endpoints.ts'
import { fundingEndpoints } from './modules/funding/endpoints.ts'
import { funnelEndpoints } from './modules/funnel/endpoints.ts'
import { invoiceEndpoints } from './modules/invoice/endpoints.ts'
import { storeInvoiceEndpoints } from './modules/invoice/store-endpoints.ts'
import { merchantEndpoints } from './modules/merchant/endpoints.ts'
import { readClerkActor } from './modules/merchant/read-clerk-actor.ts'
import { terminalEndpoints } from './modules/merchant/terminal-endpoints.ts'
import { createTerminalCheck, POS_PATH } from './modules/merchant/verify-terminal.ts'
import { posEndpoints } from './modules/redemption/pos-endpoints.ts'
import { tillEndpoints } from './modules/redemption/till-endpoints.ts'
import { noticeEndpoints } from './modules/notice/endpoints.ts'
import { refundEndpoints } from './modules/refund/endpoints.ts'
import { takeRefundNotice } from './modules/refund/take-notice.ts'
import { settlementEndpoints } from './modules/settlement/endpoints.ts'
import { reconciliationEndpoints } from './modules/reconciliation/endpoints.ts'
import { shelfEndpoints } from './modules/shelf/endpoints.ts'
import { storeShelfEndpoints } from './modules/shelf/store-endpoints.ts'
import { staffEndpoints } from './modules/staff/endpoints.ts'
import { isPersonActive } from './modules/staff/find-person.ts'
import { storefrontEndpoints } from './modules/storefront/endpoints.ts'
import { walletEndpoints } from './modules/wallet/endpoints.ts'
import { webhookEndpoints } from './modules/webhook/endpoints.ts'
import { pagesOf } from './pages.ts'

/** Every endpoint of the house. Routes, access checks and docs/openapi.json derive from this list. */
export const endpoints: readonly Endpoint[] = [
  ...companyEndpoints,
  ...buyerEndpoints,
  ...coverEndpoints,
  ...noticeEndpoints,
  ...funnelEndpoints,
  ...catalogEndpoints,
  ...shelfEndpoints,
  ...storeShelfEndpoints,
  ...complianceEndpoints,
  ...merchantEndpoints,
  ...terminalEndpoints,
  ...settlementEndpoints,
  ...walletEndpoints,
  ...fundsEndpoints,
  ...staffEndpoints,
  ...campaignEndpoints,
  ...fundingEndpoints({ readStatement: readBankStatement, takeRefund: takeRefundNotice }),
  ...deliveryEndpoints,
  ...licenceEndpoints,
  ...contactEndpoints,
  ...claimEndpoints,
  ...refundEndpoints,
  ...invoiceEndpoints,
  ...storeInvoiceEndpoints,
  ...reconciliationEndpoints,
  ...analyticsEndpoints,
  ...reportEndpoints,
  ...keysEndpoints,
  ...trustEndpoints,
  ...cardpackEndpoints,
  ...cardActEndpoints,
  ...giftEndpoints,
  ...bindEndpoints,
  ...storePackEndpoints,
  ...storefrontEndpoints,
  ...tillEndpoints,
  ...posEndpoints,
  ...webhookEndpoints,
]

const anybody: Actor = { kind: 'anybody' }

/** The web side of an open house. */
export function createApp(
  open: OpenHouse,
  options: { readonly log: RootLog; readonly trustProxy: boolean; readonly rate?: { points: number; seconds: number } },
): Koa {
  const edge = open.edgeFor(anybody)
  const metrics = createHttpMetrics()
  const sessionOf = createAuthenticate({
    edge,
    personActive: isPersonActive,
    buyerActive: isBuyerKnown,
    clerkActor: readClerkActor,
  })
  const terminalOf = createTerminalCheck(edge)
  measureWecom(metrics.registry, edge)
  measureCustody(metrics.registry, edge)
  return createHttpApp({
    endpoints,
    edgeFor: (actor, log) => open.edgeFor(actor, log),
    authenticate: (credentials) =>
      credentials.path.startsWith(POS_PATH) ? terminalOf(credentials) : sessionOf(credentials),
    origins: [new URL(open.house.publicUrl).origin],
    log: options.log,
    trustProxy: options.trustProxy,
    metrics,
    ready: async () => (await edge.read((tx) => sql(tx.em, 'select 1 as one'))).length === 1,
    wechat: open.house.wechat,
    pages: pagesOf(),
    ...(options.rate === undefined ? {} : { rate: options.rate }),
  })
}
