import { formatYuan } from '../../contract/fen.ts'

/** Fen as people read money: 123456 gives ¥1,234.56. Show it in an element of class `num`. */
export function money(fen: number | null | undefined): string {
  return fen === null || fen === undefined ? '—' : formatYuan(fen)
}

/** As `money`, without .00 where the yuan are whole: for cards and faces. */
export function shortMoney(fen: number): string {
  return formatYuan(fen).replace(/\.00$/, '')
}

/** Reads yuan as typed into a field (1,234.5 or ¥1234.50) into fen; null when it is not an amount of money. */
export function readYuan(text: string): number | null {
  const plain = text.replace(/[\s,，¥￥]/g, '').replace(/元$/, '')
  const parts = /^(\d{1,12})(?:\.(\d{0,2}))?$/.exec(plain)
  if (parts === null) return null
  return Number(parts[1]) * 100 + Number((parts[2] ?? '').padEnd(2, '0'))
}

/** A count with thousands: 200,000. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}
