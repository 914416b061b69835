import { readProblem } from '../../../lib/api.ts'

/** The four quarters that ended before a day, newest first: `2026-Q1`. */
export function quartersBefore(today: string): string[] {
  const now = Number(today.slice(0, 4)) * 4 + Math.floor((Number(today.slice(5, 7)) - 1) / 3)
  return [1, 2, 3, 4].map((back) => `${Math.floor((now - back) / 4)}-Q${((now - back) % 4) + 1}`)
}

/** Takes a quarter's report and hands it to the browser as a file. Throws ApiProblem with the server's words. */
export async function takeQuarter(quarter: string): Promise<void> {
  const answer = await fetch(`/operator/custody-quarters/${quarter}`)
  if (!answer.ok) throw readProblem(answer.status, await answer.text(), answer.headers.get('x-request-id'))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await answer.blob())
  link.download = `custody-${quarter}.xlsx`
  link.click()
  URL.revokeObjectURL(link.href)
}
