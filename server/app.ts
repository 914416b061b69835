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
import { fundsEndpoints } from './modules/analytics/funds-endpoints.ts'
import { campaignEndpoints } from './modules/campaign/endpoints.ts'
import { cardpackEndpoints } from './modules/cardpack/endpoints.ts'
import { catalogEndpoints } from './modules/catalog/endpoints.ts'
import { complianceEndpoints } from './modules/compliance/endpoints.ts'
import { measureCustody } from './modules/compliance/measure-custody.ts'
import { createAuthenticate } from './modules/company/authenticate.ts'
import { companyEndpoints } from './modules/company/endpoints.ts'
import { measureWecom } from './modules/company/measure-wecom.ts'
import { claimEndpoints } from './modules/contact/claim-endpoints.ts'
import { contactEndpoints } from './modules/contact/endpoints.ts'
import { deliveryEndpoints } from './modules/delivery/endpoints.ts'
import { licenceEndpoints } from './modules/delivery/licence-endpoints.ts'
import { fundingEndpoints } from './modules/funding/endpoints.ts'
import { invoiceEndpoints } from './modules/invoice/endpoints.ts'
import { refundEndpoints } from './modules/refund/endpoints.ts'
import { takeRefundNotice } from './modules/refund/take-notice.ts'
import { settlementEndpoints } from './modules/settlement/endpoints.ts'
import { reconciliationEndpoints } from './modules/reconciliation/endpoints.ts'
import { staffEndpoints } from './modules/staff/endpoints.ts'
import { isPersonActive } from './modules/staff/find-person.ts'
import { walletEndpoints } from './modules/wallet/endpoints.ts'
import { pagesOf } from './pages.ts'

/** Every endpoint of the house. Routes, access checks and docs/openapi.json derive from this list. */
export const endpoints: readonly Endpoint[] = [
  ...companyEndpoints,
  ...catalogEndpoints,
  ...complianceEndpoints,
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
  ...reconciliationEndpoints,
  ...analyticsEndpoints,
  ...cardpackEndpoints,
]

const anybody: Actor = { kind: 'anybody' }

/** The web side of an open house. */
export function createApp(
  open: OpenHouse,
  options: { readonly log: RootLog; readonly trustProxy: boolean; readonly rate?: { points: number; seconds: number } },
): Koa {
  const edge = open.edgeFor(anybody)
  const metrics = createHttpMetrics()
  measureWecom(metrics.registry, edge)
  measureCustody(metrics.registry, edge)
  return createHttpApp({
    endpoints,
    edgeFor: (actor, log) => open.edgeFor(actor, log),
    authenticate: createAuthenticate({ edge, personActive: isPersonActive }),
    origins: [new URL(open.house.publicUrl).origin],
    log: options.log,
    trustProxy: options.trustProxy,
    metrics,
    ready: async () => (await edge.read((tx) => sql(tx.em, 'select 1 as one'))).length === 1,
    pages: pagesOf(),
    ...(options.rate === undefined ? {} : { rate: options.rate }),
  })
}
