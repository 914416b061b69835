/** Reads `2026-09-28 14:30` as wall clock of the company's zone (Asia/Shanghai keeps +08:00 all year); null when it is none. */
export function readSendTime(text: string): number | null {
  const parts = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})/.exec(text)
  if (parts === null) return null
  const at = Date.parse(`${parts[1]}T${parts[2]}:00+08:00`)
  return Number.isNaN(at) ? null : at
}

/** The next day at nine, when people have come to work. */
export function tomorrowAtNine(nowMs: number): number {
  const dayMs = 86_400_000
  const zoneMs = 8 * 3_600_000
  const midnight = Math.floor((nowMs + zoneMs) / dayMs) * dayMs - zoneMs
  return midnight + dayMs + 9 * 3_600_000
}
