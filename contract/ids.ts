/** Crockford base 32: no I, L, O, U, so that an id read aloud or typed by hand stays itself. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The kinds of object that carry an id, with the prefix that every id of the kind shows. */
const idPrefixes = {
  company: 'com',
  member: 'mem',
  operator: 'opr',
  session: 'ses',
  roster: 'ros',
  rosterRow: 'rrw',
  rosterChunk: 'rch',
  person: 'per',
  brand: 'brd',
  template: 'tpl',
  templateVersion: 'tpv',
  campaign: 'cam',
  order: 'ord',
  orderItem: 'itm',
  orderSlice: 'slc',
  payment: 'pay',
  paymentPart: 'ppt',
  notice: 'ntc',
  statement: 'stm',
  statementLine: 'stl',
  card: 'crd',
  activity: 'act',
  delivery: 'dlv',
  deliveryBatch: 'dlb',
  entry: 'ent',
  posting: 'pst',
  job: 'job',
  trail: 'trl',
  walletMovement: 'wmv',
  rosterFault: 'rft',
  wecomEvent: 'wev',
  directoryMember: 'dmb',
  directorySync: 'dsy',
  directoryChange: 'dch',
  recurring: 'rcg',
  notification: 'ntf',
  contactWay: 'cwy',
  claim: 'clm',
  claimLink: 'clk',
  smsCode: 'smc',
  externalContact: 'ext',
  massSend: 'msd',
  brandTerms: 'brt',
  budget: 'bud',
  budgetHold: 'bdh',
  creditMovement: 'cmv',
  walletAlert: 'wal',
  hold: 'hld',
  split: 'spl',
  splitCall: 'spc',
  splitReceiver: 'spr',
  splitReturn: 'sre',
  shareRelation: 'shr',
  payout: 'pyo',
  payoutItem: 'pyi',
  payoutFile: 'pyf',
  refund: 'rfd',
  refundItem: 'rfi',
  refundPart: 'rfp',
  bill: 'bil',
  billDifference: 'bdf',
  brandFiling: 'bfl',
  custodyStatement: 'cst',
  custodyBalance: 'cbl',
  custodyGuarantee: 'cgr',
  custodyAlarm: 'cal',
  invoice: 'inv',
  invoiceLine: 'ivl',
  merchant: 'mer',
  shop: 'shp',
  clerk: 'clr',
  clerkLink: 'cln',
  terminal: 'trm',
  webhookEndpoint: 'whe',
  webhookDelivery: 'whd',
  redemption: 'rdm',
  redemptionMovement: 'rmv',
  shift: 'shf',
  gift: 'gft',
  thanks: 'thk',
  buyer: 'byr',
  buyerAccount: 'bac',
  listing: 'lst',
  listingTaking: 'ltk',
  cover: 'cvr',
  booksProof: 'bpf',
  noticeGrant: 'ngr',
  noticeMessage: 'nms',
} as const
export type IdKind = keyof typeof idPrefixes
/** An id of one kind: passing an order id for a card id does not compile. */
export type Id<K extends IdKind> = string & { readonly __id: K }
export const ID_LENGTH = 17
/** Who may hold a card: somebody of a company, or a buyer of the storefront. */
export type HolderId = Id<'person'> | Id<'buyer'>

/** Writes a 63-bit number as the text id of a kind: prefix, underscore, 13 characters that sort as the number does. */
export function encodeId<K extends IdKind>(kind: K, value: bigint): Id<K> {
  let text = ''
  let rest = value
  for (let i = 0; i < 13; i += 1) {
    text = ALPHABET[Number(rest & 31n)]! + text
    rest >>= 5n
  }
  return `${idPrefixes[kind]}_${text}` as Id<K>
}

/** The 63-bit number of an id. The text must be one (isId). */
export function decodeId(id: Id<IdKind>): bigint {
  let value = 0n
  for (const character of id.slice(-13)) value = (value << 5n) | BigInt(ALPHABET.indexOf(character))
  return value
}

const forms = Object.fromEntries(
  Object.entries(idPrefixes).map(([kind, prefix]) => [kind, new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{13}$`)]),
) as Readonly<Record<IdKind, RegExp>>

/** Tells whether a text has the form of an id of this kind. */
export function isId<K extends IdKind>(kind: K, text: unknown): text is Id<K> {
  return typeof text === 'string' && forms[kind].test(text)
}
