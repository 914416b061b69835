import type { Lang } from '../error-codes.ts'

/** A card counts as about to end for so many days before it does. */
export const EXPIRING_DAYS = 30

/** What the report counts, in the order in which money becomes a purchase. */
export const reportFigures = [
  'budget',
  'funded',
  'issued',
  'delivered',
  'opened',
  'spent',
  'left',
  'expiring',
  'expired',
  'takenBack',
] as const
export type ReportFigure = (typeof reportFigures)[number]

interface Words {
  readonly name: string
  /** What it counts: one sentence. */
  readonly means: string
}

/**
 * Each figure's name and exactly what it counts: a page shows it beside the figure, the exported file carries it. The card
 * figures nest: face of issued = spent + left + expired + taken back, and left includes expiring.
 */
export const reportWords: Readonly<Record<ReportFigure, Readonly<Record<Lang, Words>>>> = {
  budget: {
    zh: { name: '预算', means: '审批通过的活动按每人一张卡的售价合计要付的钱；已取消的活动不算。' },
    en: {
      name: 'Budget',
      means: 'What the cards of approved campaigns cost, a card a person; cancelled campaigns are not counted.',
    },
  },
  funded: {
    zh: {
      name: '已到账',
      means: '这些活动的订单收到的钱，减去制卡前退回的；没付清的订单按预算的比例分到部门和月份。',
    },
    en: {
      name: 'Funded',
      means:
        'Money that arrived for their orders, less what went back before it became cards; of an order not paid in full, departments and months have shares by budget.',
    },
  },
  issued: {
    zh: { name: '已制卡', means: '已经做好的卡的张数和面额，后来退回的也算在内。' },
    en: { name: 'Issued', means: 'Cards that were made and their face, those taken back later included.' },
  },
  delivered: {
    zh: { name: '已送达', means: '通知已经送到、或者本人已经打开的人数；之后撤回的不算。' },
    en: {
      name: 'Delivered',
      means: 'People whom the message reached or who opened their card; recalled messages are not counted.',
    },
  },
  opened: {
    zh: { name: '已打开', means: '已经打开通知看到卡、或者已经领取的人数。' },
    en: { name: 'Opened', means: 'People who opened the message or claimed their card.' },
  },
  spent: {
    zh: { name: '已消费', means: '这些卡已经花掉的钱，减去商户退回到卡里的；转赠后由谁花掉都算在原来的活动和部门。' },
    en: {
      name: 'Spent',
      means:
        'What left the cards at tills, less what tills gave back; after a gift it still counts where the card was issued, whoever spends it.',
    },
  },
  left: {
    zh: { name: '余额', means: '没有过期的卡里还有的钱，包括快到期的和冻结的卡。' },
    en: { name: 'Left', means: 'What is on cards that have not expired, those about to and frozen ones included.' },
  },
  expiring: {
    zh: { name: '快到期', means: `${EXPIRING_DAYS} 天内到期的卡里还有的钱。` },
    en: { name: 'Expiring', means: `What is on cards that expire within ${EXPIRING_DAYS} days.` },
  },
  expired: {
    zh: { name: '已过期', means: '已过有效期的卡里还有的钱；持卡人可以按规则延期后再用。' },
    en: {
      name: 'Expired',
      means: 'What is on cards whose validity is over; their holders may extend them where the rule says so.',
    },
  },
  takenBack: {
    zh: { name: '已退卡', means: '整张退回、已经作废的卡的张数和面额，钱退回付款来源。' },
    en: {
      name: 'Taken back',
      means: 'Cards that were taken back whole and their face; the money goes back to its source.',
    },
  },
}
