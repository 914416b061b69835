export interface Difference {
  readonly stored: number
  readonly posted: number
  readonly unit: 'fen' | 'heads'
}

/** What a finding says of the stored and the posted number; null where it says something else. */
export function readDifference(detail: string): Difference | null {
  const [, stored, unit, posted, same] = /^stored (-?\d+) (fen|heads), posted (-?\d+) (fen|heads)$/.exec(detail) ?? []
  if (stored === undefined || posted === undefined || unit !== same) return null
  return unit === 'fen' || unit === 'heads' ? { stored: Number(stored), posted: Number(posted), unit } : null
}
