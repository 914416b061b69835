import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import { codeColumn, idColumn, instantColumn } from '../../kernel/columns.ts'

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

/** How we reach a company's WeCom: a self-built app. Secret and callback keys are sealed. */
export const WecomConnection = defineEntity({
  name: 'WecomConnection',
  tableName: 'wecom_connection',
  properties: {
    companyId: idColumn<'company'>().primary(),
    corpId: codeColumn(64).unique(),
    agentId: p.integer(),
    secretSealed: p.blob(),
    /** JSON {token, encodingAesKey}, sealed; null while no callback is set up. */
    callbackSealed: p.blob().nullable(),
    changedAtMs: instantColumn(),
  },
})
