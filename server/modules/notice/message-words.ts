import { formatYuan } from '../../../contract/fen.ts'
import type { NoticeKind } from '../../../contract/store/notice.ts'
import { wallAt } from '../../../contract/wall-clock.ts'
import { CHINA } from '../../kernel/company-day.ts'
import type { wechatTemplateWords } from '../../kernel/house.ts'

/** Twenty signs at most: a template's places are short. */
const notes: Readonly<Record<NoticeKind, string>> = {
  gift_received: '朋友送的卡已放入您的卡包',
  gift_claimed: '对方已领取您送的卡',
  gift_returned: '没有人领取，卡已退回给您',
  card_expiring: '请在到期前用完卡里的余额',
  low_balance: '卡里的余额不多了',
}

/** What a subscription message says; which of it a template shows, its keys decide. */
export function messageWords(message: {
  readonly kind: NoticeKind
  readonly brandName: string
  readonly amountFen: number
  readonly expiresAtMs: number | null
  readonly createdAtMs: number
}): Readonly<Record<(typeof wechatTemplateWords)[number], string>> {
  return {
    card: `${message.brandName}福利卡`,
    amount: formatYuan(message.amountFen).replaceAll(',', ''),
    time: sayTime(
      message.kind === 'card_expiring' ? (message.expiresAtMs ?? message.createdAtMs) : message.createdAtMs,
    ),
    note: notes[message.kind],
  }
}

function sayTime(ms: number): string {
  const { day, minute } = wallAt(ms, CHINA)
  const [year, month, date] = day.split('-').map(Number)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${year}年${month}月${date}日 ${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}
