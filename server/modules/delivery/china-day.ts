const DAY_MS = 86_400_000
/** WeCom counts by natural days of China, which is eight hours before UTC all year. */
const CHINA_MS = 8 * 3_600_000

/** The first instant of the day of China in which an instant lies. */
function startOfChinaDay(atMs: number): number {
  return Math.floor((atMs + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS
}

/** The first instant of the day of China that follows. */
export function nextChinaDay(atMs: number): number {
  return startOfChinaDay(atMs) + DAY_MS
}

/** The day of China in which an instant lies, as YYYYMMDD. */
export function chinaDay(atMs: number): number {
  return Number(new Date(atMs + CHINA_MS).toISOString().slice(0, 10).replaceAll('-', ''))
}
