import type { Lang } from '../../../contract/error-codes.ts'
import { reportWords } from '../../../contract/hr/report-words.ts'
import type { CardState, DeliveryState } from '../../../contract/states.ts'

interface Words {
  readonly deliveryStates: Readonly<Record<DeliveryState, string>>
  readonly cardStates: Readonly<Record<CardState, string>>
}

/** The heads of the columns of sums, in their order. */
function sumsIn(lang: Lang, unit: { readonly yuan: string; readonly cards: string; readonly people: string }) {
  const of = (figure: keyof typeof reportWords): string => reportWords[figure][lang].name
  const money = (figure: keyof typeof reportWords): string => `${of(figure)}${unit.yuan}`
  const cards = (figure: keyof typeof reportWords): string => `${of(figure)}${unit.cards}`
  const both = (figure: keyof typeof reportWords): string[] => [cards(figure), money(figure)]
  return [
    money('budget'),
    money('funded'),
    ...both('issued'),
    `${of('delivered')}${unit.people}`,
    `${of('opened')}${unit.people}`,
    ...(['spent', 'left', 'expiring', 'expired', 'takenBack'] as const).flatMap(both),
  ]
}

/** What the exported report says beside its figures. */
export const exportWords = {
  zh: {
    sumsSheet: '汇总',
    rowsSheet: '明细',
    querySheet: '查询条件',
    by: '按',
    name: '名称',
    heads: '人数',
    total: '合计',
    campaign: '活动',
    department: '部门',
    month: '月份',
    noDepartment: '无部门',
    every: '全部',
    granted: '部门预算额度（元）',
    grantedText: '有效期与所选日期有重叠的部门预算，按部门合计；只看一个活动时不列。',
    sums: sumsIn('zh', { yuan: '（元）', cards: '（张）', people: '（人）' }),
    rows: [
      '活动',
      '部门',
      '姓名',
      '卡号末四位',
      '售价（元）',
      '面额（元）',
      '已消费（元）',
      '余额（元）',
      '通知',
      '卡',
      '有效期至',
    ],
    company: '公司',
    days: '日期',
    takenAt: '导出时间',
    takenBy: '导出人',
    names: '姓名与卡号',
    named: '含个人信息，请妥善保管。',
    unnamed: '您的角色不能导出姓名和卡号。',
    whose: '归属',
    whoseText:
      '每张卡算在发放它的活动和收卡人当时的部门，转赠后不变；月份看制卡日，没制卡的看审批通过日；不列在哪里、什么时候消费。',
    notMade: '未制卡',
    deliveryStates: {
      planned: '等待',
      sending: '发送中',
      sent: '已送达',
      opened: '已打开',
      claimed: '已领取',
      failed: '失败',
      revoked: '已撤回',
    },
    cardStates: { active: '可用', frozen: '冻结', exhausted: '用完', refunded: '已退', void: '作废' },
  },
  en: {
    sumsSheet: 'Sums',
    rowsSheet: 'Rows',
    querySheet: 'Query',
    by: 'By',
    name: 'Name',
    heads: 'People',
    total: 'Total',
    campaign: 'Campaign',
    department: 'Department',
    month: 'Month',
    noDepartment: 'No department',
    every: 'All',
    granted: 'Department budget (yuan)',
    grantedText: 'Budgets of departments whose time touches these days, summed; not told for a single campaign.',
    sums: sumsIn('en', { yuan: ' (yuan)', cards: ' (cards)', people: ' (people)' }),
    rows: [
      'Campaign',
      'Department',
      'Name',
      'Card ends in',
      'Price (yuan)',
      'Face (yuan)',
      'Spent (yuan)',
      'Balance (yuan)',
      'Message',
      'Card',
      'Valid until',
    ],
    company: 'Company',
    days: 'Days',
    takenAt: 'Exported at',
    takenBy: 'Exported by',
    names: 'Names and cards',
    named: 'Personal data, keep it safe.',
    unnamed: 'Your role does not export names or card numbers.',
    whose: 'Counted where',
    whoseText:
      'Each card counts for the campaign and the department that it was issued to, gifts change nothing; its month is that in which it was made, until then of the approval; where and when somebody spent is not told.',
    notMade: 'Not made yet',
    deliveryStates: {
      planned: 'Waiting',
      sending: 'Sending',
      sent: 'Sent',
      opened: 'Opened',
      claimed: 'Taken',
      failed: 'Failed',
      revoked: 'Recalled',
    },
    cardStates: { active: 'Active', frozen: 'Frozen', exhausted: 'Used up', refunded: 'Taken back', void: 'Void' },
  },
} as const satisfies Record<Lang, Words & Record<string, unknown>>
