import { defineEntity, p } from '@mikro-orm/core'
import type { ContactWayState, ExternalContactState, MassSendState } from '../../../contract/states.ts'
import { codeColumn, idColumn, instantColumn, largeBlobColumn } from '../../kernel/columns.ts'

/** A QR code on a wall, for one campaign at one site: WeCom's 联系我, or the claim page alone where there is no `configId`. */
export const ContactWay = defineEntity({
  name: 'ContactWay',
  tableName: 'contact_way',
  properties: {
    id: idColumn<'contactWay'>().primary(),
    companyId: idColumn<'company'>(),
    campaignId: idColumn<'campaign'>(),
    state: codeColumn<ContactWayState>(16),
    version: p.integer(),
    site: p.string().length(60),
    /** What WeCom gives back as `state` (at most 30 letters and digits), and the claim page's address. Unguessable. */
    token: codeColumn(30).unique(),
    /** With or without adding a member as a contact. */
    adds: p.boolean(),
    /** JSON: userids of the members who serve it, sealed. */
    membersSealed: p.blob().nullable(),
    configId: codeColumn(128).nullable(),
    qrUrl: p.string().length(1000).nullable(),
    /** WeCom's code where it could not be made. */
    code: codeColumn(40).nullable(),
    createdBy: idColumn<'member'>(),
    createdAtMs: instantColumn(),
  },
  uniques: [{ name: 'contact_way_site_unique', properties: ['campaignId', 'site'] }],
  indexes: [{ name: 'contact_way_company_index', properties: ['companyId', 'id'] }],
})

/** A person took the card of a campaign by proving their mobile number. Once a person and campaign. */
export const Claim = defineEntity({
  name: 'Claim',
  tableName: 'claim',
  properties: {
    id: idColumn<'claim'>().primary(),
    companyId: idColumn<'company'>(),
    campaignId: idColumn<'campaign'>(),
    personId: idColumn<'person'>(),
    contactWayId: idColumn<'contactWay'>().nullable(),
    claimLinkId: idColumn<'claimLink'>().nullable(),
    atMs: instantColumn(),
  },
  uniques: [{ name: 'claim_person_unique', properties: ['campaignId', 'personId'] }],
  indexes: [{ name: 'claim_way_index', properties: ['contactWayId'] }],
})

/** A link for one person, to be handed over by any means; another one for the same person ends it. */
export const ClaimLink = defineEntity({
  name: 'ClaimLink',
  tableName: 'claim_link',
  properties: {
    id: idColumn<'claimLink'>().primary(),
    companyId: idColumn<'company'>(),
    campaignId: idColumn<'campaign'>(),
    personId: idColumn<'person'>(),
    tokenIndex: codeColumn(64).unique(),
    state: codeColumn<'live' | 'ended' | 'used'>(8),
    createdBy: idColumn<'member'>(),
    createdAtMs: instantColumn(),
    expiresAtMs: instantColumn(),
  },
  indexes: [{ name: 'claim_link_person_index', properties: ['campaignId', 'personId', 'state'] }],
})

/** A code that was sent to a mobile number. The number and the code stand as fingerprints; it counts once. */
export const SmsCode = defineEntity({
  name: 'SmsCode',
  tableName: 'sms_code',
  properties: {
    id: idColumn<'smsCode'>().primary(),
    companyId: idColumn<'company'>(),
    phoneIndex: codeColumn(64),
    codeIndex: codeColumn(64),
    /** The number, sealed, until the code was handed to the SMS service. */
    phoneSealed: p.blob().nullable(),
    state: codeColumn<'planned' | 'sent' | 'used' | 'ended' | 'failed'>(8),
    tries: p.integer(),
    createdAtMs: instantColumn(),
    expiresAtMs: instantColumn(),
  },
  indexes: [{ name: 'sms_code_phone_index', properties: ['companyId', 'phoneIndex', 'createdAtMs'] }],
})

/** An outside contact of one member of the company, and who of our staff it is once that is proven. */
export const ExternalContact = defineEntity({
  name: 'ExternalContact',
  tableName: 'external_contact',
  properties: {
    id: idColumn<'externalContact'>().primary(),
    companyId: idColumn<'company'>(),
    externalIdIndex: codeColumn(64),
    followerIndex: codeColumn(64),
    /** JSON {externalUserId, follower}, sealed. */
    sealed: largeBlobColumn(),
    state: codeColumn<ExternalContactState>(16),
    version: p.integer(),
    contactWayId: idColumn<'contactWay'>().nullable(),
    personId: idColumn<'person'>().nullable(),
    /** What became of the welcome message; null where WeCom gave no code for one. */
    welcome: codeColumn<'sent' | 'late' | 'taken' | 'failed'>(8).nullable(),
    /** Which tag the contact carries: has claimed, has not yet. */
    tag: codeColumn<'claimed' | 'unclaimed'>(12).nullable(),
    addedAtMs: instantColumn(),
    changedAtMs: instantColumn(),
  },
  uniques: [{ name: 'external_contact_unique', properties: ['companyId', 'externalIdIndex', 'followerIndex'] }],
  indexes: [
    { name: 'external_contact_way_index', properties: ['contactWayId', 'state'] },
    { name: 'external_contact_person_index', properties: ['companyId', 'personId'] },
  ],
})

/** A mass-sending task: members confirm it in WeCom, and its result is asked for. */
export const MassSend = defineEntity({
  name: 'MassSend',
  tableName: 'mass_send',
  properties: {
    id: idColumn<'massSend'>().primary(),
    companyId: idColumn<'company'>(),
    campaignId: idColumn<'campaign'>(),
    state: codeColumn<MassSendState>(16),
    version: p.integer(),
    /** The exact body, sealed: it names contacts. */
    bodySealed: largeBlobColumn(),
    messageId: codeColumn(128).nullable(),
    targets: p.integer(),
    sent: p.integer(),
    notFriends: p.integer(),
    overQuota: p.integer(),
    waiting: p.integer(),
    code: codeColumn(40).nullable(),
    createdBy: idColumn<'member'>(),
    createdAtMs: instantColumn(),
    askedAtMs: instantColumn().nullable(),
  },
  indexes: [{ name: 'mass_send_campaign_index', properties: ['campaignId', 'id'] }],
})
