/**
 * npm run page-budget [-- --runs N]
 * How soon a person sees what is on their cards, and what stands on the storefront's shelf: the house on SQLite with its
 * sandbox, cards in the hands of one employee, and the page in Chromium on a slow phone (a quarter of this processor,
 * 1.6 Mbit/s, 150 ms there and back, nothing cached). The clock starts with the navigation and stops when a frame with the
 * balance, or with a price, was painted. Bytes are those of every answer that was asked for until then, as they came over
 * the line, headers included. One line of JSON for each page; exit code 1 when the budget is not kept.
 */
import { parseArgs } from 'node:util'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { openBrowser, phoneSize } from '../e2e/browser.ts'
import { makePackWorld } from '../e2e/pack-world.ts'
import { openStage, type OpenStage } from '../e2e/stage.ts'

/** product.md, D8. */
const budget = { paintedMs: 1500, firstViewKb: 150, layoutShift: 0 }
const slowPhone = { slowdown: 4, latencyMs: 150, downBytes: 1_600_000 / 8, upBytes: 750_000 / 8 }
/** How long a page may go on moving after that before we stop looking. */
const WATCH_MS = 3_000
const MOST_MS = 30_000
const facesFen = [200_00, 88_00, 500_00]
const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const runs = Number(values.runs)
if (!Number.isSafeInteger(runs) || runs < 1) throw new Error('usage: npm run page-budget [-- --runs N]')

/** Runs in the page from its first moment on: notes when a balance or a price was painted, and whatever moved afterwards. */
const stopwatch = `
window.__shifts = []
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.__shifts.push([one.startTime, one.value])
}).observe({ type: 'layout-shift', buffered: true })
const seen = () => [...document.querySelectorAll('[data-balance], [data-price]')].some((one) =>
  /\\d/.test(one.textContent) && one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
  one.getBoundingClientRect().top < innerHeight)
const watch = () => {
  if (!seen()) return requestAnimationFrame(watch)
  // The frame that this callback stands in front of shows the balance; the next one begins when it was painted.
  requestAnimationFrame(() => window.__painted(performance.now()))
}
requestAnimationFrame(watch)`

interface View {
  readonly paintedMs: number
  readonly bytes: number
  readonly shift: number
}

const stage = await openStage('sqlite')
const browser = await openBrowser()
try {
  const { people } = await makePackWorld(stage, facesFen)
  const session = await signIn(browser, stage, people[0]?.userid ?? '')
  const kept = [await measure('/pack/', session), await measure('/shop/', undefined)]
  process.exitCode = kept.includes(false) ? 1 : 0
} finally {
  await browser.close()
  await stage.close()
}

type Session = Awaited<ReturnType<Awaited<ReturnType<Browser['newContext']>>['storageState']>>

/** The cookies of somebody who was in the pack before. */
async function signIn(by: Browser, on: OpenStage, userid: string): Promise<Session> {
  const context = await by.newContext()
  const page = await context.newPage()
  await page.goto(`${on.serverUrl}/employee/sign-in/demo`)
  const here = new URL(page.url())
  here.searchParams.set('as', userid)
  await page.goto(here.href)
  await page.waitForURL(`${on.serverUrl}/**`)
  const session = await context.storageState()
  await context.close()
  return session
}

/** Looks at a page several times, prints the figures, and says whether the budget is kept. */
async function measure(path: string, session: Session | undefined): Promise<boolean> {
  const views: View[] = []
  for (let run = 0; run < runs; run += 1) views.push(await lookOnce(path, session))
  const painted = views.map((view) => view.paintedMs).sort((a, b) => a - b)
  const figures = {
    paintedMs: painted[Math.floor(painted.length / 2)]!,
    worstMs: painted.at(-1)!,
    firstViewKb: Math.round(Math.max(...views.map((view) => view.bytes)) / 102.4) / 10,
    layoutShift: Math.max(...views.map((view) => view.shift)),
  }
  console.log(JSON.stringify({ page: path, ...figures }))
  return (
    figures.worstMs < budget.paintedMs &&
    figures.firstViewKb <= budget.firstViewKb &&
    figures.layoutShift <= budget.layoutShift
  )
}

/** Opens a page once, as a slow phone that was never here does. */
async function lookOnce(path: string, storageState: Session | undefined): Promise<View> {
  const context = await browser.newContext({
    ...(storageState === undefined ? {} : { storageState }),
    viewport: phoneSize,
    deviceScaleFactor: 3,
    isMobile: true,
    hasTouch: true,
    locale: 'zh-CN',
  })
  const page = await context.newPage()
  const line = await context.newCDPSession(page)
  const weighed = await weigh(line)
  await slowDown(line)
  await page.addInitScript(stopwatch)
  const painted = paintedAt(page)
  await page.goto(`${stage.serverUrl}${path}`, { waitUntil: 'commit' })
  const paintedMs = await painted
  const asked = weighed.asked()
  await page.waitForTimeout(WATCH_MS)
  const shifts = await page.evaluate<[number, number][]>('window.__shifts')
  const shift = shifts.filter(([atMs]) => atMs > paintedMs).reduce((sum, [, value]) => sum + value, 0)
  const bytes = weighed.of(asked)
  await context.close()
  return { paintedMs: Math.round(paintedMs), bytes, shift }
}

/** When the page says that the balance was painted, in ms since the navigation began. */
function paintedAt(page: Page): Promise<number> {
  return new Promise((resolve, reject) => {
    void page.exposeBinding('__painted', (_source, ms: number) => resolve(ms))
    setTimeout(() => reject(new Error(`nothing to see within ${MOST_MS / 1000} s`)), MOST_MS).unref()
  })
}

async function slowDown(line: CDPSession): Promise<void> {
  await line.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: slowPhone.latencyMs,
    downloadThroughput: slowPhone.downBytes,
    uploadThroughput: slowPhone.upBytes,
  })
  await line.send('Emulation.setCPUThrottlingRate', { rate: slowPhone.slowdown })
}

/** Weighs every answer as it comes over the line. */
async function weigh(line: CDPSession): Promise<{ asked: () => string[]; of: (ids: readonly string[]) => number }> {
  const asked: string[] = []
  const bytes = new Map<string, number>()
  line.on('Network.requestWillBeSent', ({ requestId }) => void asked.push(requestId))
  line.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => void bytes.set(requestId, encodedDataLength))
  await line.send('Network.enable')
  return {
    asked: () => [...new Set(asked)],
    of: (ids) => ids.reduce((sum, id) => sum + (bytes.get(id) ?? 0), 0),
  }
}
