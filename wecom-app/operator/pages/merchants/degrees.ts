/** Millionths of a degree as a map writes them: 22548457 gives 22.548457. */
export function degreesOf(e6: number | null): string {
  if (e6 === null) return ''
  const digits = String(Math.abs(e6)).padStart(7, '0')
  return `${e6 < 0 ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
}

/** Reads degrees as typed; null: nothing was typed. `most`: 90 of latitude, 180 of longitude. */
export function readDegrees(text: string, most: number): number | null | 'wrong' {
  const plain = text.trim().replace(/°$/, '')
  if (plain === '') return null
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d{1,3})(?:\.(\d{1,12}))?$/.exec(plain) ?? []
  if (whole === '') return 'wrong'
  const e6 = Number(whole) * 1_000_000 + Number(rest.slice(0, 6).padEnd(6, '0'))
  if (e6 > most * 1_000_000) return 'wrong'
  return sign === '-' ? -e6 : e6
}
