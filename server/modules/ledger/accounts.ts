import type { Id } from '../../../contract/ids.ts'

/** `CNY` is real money, `VALUE` the stored value that issuers owe. Each unit sums to zero by itself. */
export type Unit = 'CNY' | 'VALUE'

/** An account's address. Made only by the functions below; nobody writes one by hand. */
export type Account = string & { readonly __account: true }
const at = (...parts: readonly string[]): Account => parts.join(':') as Account

/** The chart of accounts (docs/ARCHITECTURE.md, the ledger). */
export const account = {
  /** Money that WeChat Pay collected for a merchant and has not paid out. */
  collected: (mchid: string) => at('collected', mchid),
  wechatFee: (mchid: string) => at('wechat-fee', mchid),
  /** Money in a named custody account at a bank. */
  custodyBank: (name: string) => at('custody-bank', name),
  /** What we owe a company: its prepaid balance. */
  wallet: (companyId: Id<'company'>) => at('wallet', companyId),
  /** Money secured for an order and not yet turned into cards. */
  orderFunds: (orderId: Id<'order'>) => at('order-funds', orderId),
  /** Money that arrived for an order beyond what it needed: it waits for its refund. */
  overpaid: (orderId: Id<'order'>) => at('overpaid', orderId),
  /** Money that arrived and belongs to no open need: it waits for a person. */
  unmatched: (source: string) => at('unmatched', source),
  /** Money that a person found to be nobody's here: it goes back to its payer, until a statement shows that it did. */
  toSendBack: (source: string) => at('to-send-back', source),
  brandPayable: (brandId: Id<'brand'>) => at('brand-payable', brandId),
  channelPayable: (channel: string) => at('channel-payable', channel),
  platformFee: () => at('platform-fee'),
  /** The platform's own money outside of custody: fees that were taken out by a named entry. */
  platformBank: () => at('platform-bank'),
  /** What a company owes us for cards bought on credit. */
  creditLine: (companyId: Id<'company'>) => at('credit-line', companyId),
  discountBy: (party: string) => at('discount-by', party),
  /** What is owed to a payer: a refund that was accepted and has not arrived. */
  refundPayable: (refundId: Id<'refund'>) => at('refund-payable', refundId),
  /** `VALUE`: what an issuer owes in goods, and where it lies. */
  outstanding: (brandId: Id<'brand'>) => at('outstanding', brandId),
  cards: (brandId: Id<'brand'>) => at('cards', brandId),
  redeemed: (shopId: string) => at('redeemed', shopId),
} as const
