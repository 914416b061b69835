import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import type { ConnectionState } from '../../../contract/states.ts'
import type { WecomAppKind } from '../../channels/ports.ts'
import { codeColumn, idColumn, instantColumn, largeBlobColumn } from '../../kernel/columns.ts'

/** A tenant. `code` is what people type to sign in; every row of a company carries its id. */
export const Company = defineEntity({
  name: 'Company',
  tableName: 'company',
  properties: {
    id: idColumn<'company'>().primary(),
    code: codeColumn(32).unique(),
    name: p.string().length(100),
    /** How the company pays from 5,000 yuan on: `strict` or `non_cash` (compliance/rules.ts). */
    paymentRoute: codeColumn<'strict' | 'non_cash'>(16),
    state: codeColumn<'active' | 'suspended'>(16),
    /** IANA name, such as Asia/Shanghai: the company's days and the times it chooses. */
    timeZone: codeColumn(40).default('Asia/Shanghai'),
    /** How often a card that this company gave may be passed on; 0, as at first: it may not. */
    giftDepth: p.integer().default(0),
    createdAtMs: instantColumn(),
  },
})
export type CompanyRow = InferEntity<typeof Company>

/** Somebody of a company who may use its console. The WeCom userid is sealed; its fingerprint finds the row. */
export const Member = defineEntity({
  name: 'Member',
  tableName: 'member',
  properties: {
    id: idColumn<'member'>().primary(),
    companyId: idColumn<'company'>(),
    /** JSON {name, userid}, sealed. */
    sealed: p.blob(),
    userIdIndex: codeColumn(64),
    /** Roles by comma: hr,approver,finance,admin. */
    roles: codeColumn(64),
    state: codeColumn<'active' | 'removed'>(16),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'member_user_unique', properties: ['companyId', 'userIdIndex'] }],
})

/** Somebody of the platform. The name is sealed; the access key is stored as a keyed fingerprint only. */
export const Operator = defineEntity({
  name: 'Operator',
  tableName: 'operator',
  properties: {
    id: idColumn<'operator'>().primary(),
    nameSealed: p.blob(),
    keyIndex: codeColumn(64).unique(),
    roles: codeColumn(64),
    state: codeColumn<'active' | 'removed'>(16),
    createdAtMs: instantColumn(),
  },
})

/**
 * How we reach a company's WeCom. `secretSealed` is the app's secret, or the permanent code of a customised or third-party
 * app. Ids of provider apps are case-sensitive and stand as they came.
 */
export const WecomConnection = defineEntity({
  name: 'WecomConnection',
  tableName: 'wecom_connection',
  properties: {
    companyId: idColumn<'company'>().primary(),
    kind: codeColumn<WecomAppKind>(16).default('self_built'),
    /** Which of our suites (third-party) or templates (customised) it is; null for self-built. */
    suiteId: codeColumn(64).nullable(),
    state: codeColumn<ConnectionState>(16).default('active'),
    version: p.integer().default(1),
    /** The code with which WeCom refused the credential; null while it works. */
    brokenCode: codeColumn(20).nullable(),
    corpId: codeColumn(64).unique(),
    agentId: p.integer(),
    secretSealed: p.blob(),
    /** JSON {token, encodingAesKey}, sealed; null while no callback is set up. */
    callbackSealed: p.blob().nullable(),
    /** The secret of contact sync (通讯录同步), which alone may list all ids; null where it was not given. */
    contactSecretSealed: p.blob().nullable(),
    /** How many accounts the company may have: messages a day are 200 times that. Null while nobody said. */
    accountLimit: p.integer().nullable(),
    /** JSON of the visible range and granted rights as WeCom told them. Ids only. */
    scope: p.text().nullable(),
    /** JSON of the wizard's last look at each point: code, outcome, instant. No secret, no name. */
    checks: p.text().nullable(),
    /** When the 90 days of trial end after which accounts need a licence; null for self-built. */
    trialEndsAtMs: instantColumn().nullable(),
    cancelledAtMs: instantColumn().nullable(),
    /** Since when the credential that stands here holds: an older cancellation that comes late is another's. */
    authorisedAtMs: instantColumn().nullable(),
    /** When WeCom last had the callback address verified. */
    callbackSeenAtMs: instantColumn().nullable(),
    changedAtMs: instantColumn(),
  },
  indexes: [{ name: 'wecom_connection_suite_index', properties: ['suiteId', 'state'] }],
})

/** One of our suites or customised templates, as far as WeCom pushes it to us. Its secret is in the configuration. */
export const WecomSuite = defineEntity({
  name: 'WecomSuite',
  tableName: 'wecom_suite',
  properties: {
    suiteId: codeColumn(64).primary(),
    /** The newest suite_ticket, sealed; without one nothing of the suite works. */
    ticketSealed: p.blob().nullable(),
    ticketAtMs: instantColumn().nullable(),
    changedAtMs: instantColumn(),
  },
})

/** A callback of WeCom, stored as it came before it is answered. The same plain text counts once. */
export const WecomEvent = defineEntity({
  name: 'WecomEvent',
  tableName: 'wecom_event',
  properties: {
    id: idColumn<'wecomEvent'>().primary(),
    companyId: idColumn<'company'>().nullable(),
    suiteId: codeColumn(64).nullable(),
    /** Keyed fingerprint of (company or suite, app, plain text): official keys collide. */
    contentIndex: codeColumn(64).unique(),
    /** Event, InfoType or MsgType in lower case; `other` where it names none. */
    kind: codeColumn(60),
    changeType: codeColumn(60).nullable(),
    /** The plain XML, sealed. */
    messageSealed: largeBlobColumn(),
    state: codeColumn<'received' | 'done' | 'unknown' | 'failed'>(12),
    /** How often the same text came. */
    copies: p.integer(),
    receivedAtMs: instantColumn(),
    doneAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'wecom_event_company_index', properties: ['companyId', 'id'] },
    { name: 'wecom_event_state_index', properties: ['state', 'receivedAtMs'] },
    { name: 'wecom_event_suite_index', properties: ['suiteId', 'kind'] },
  ],
})
