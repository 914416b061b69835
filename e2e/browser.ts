import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'
import { chromiumArgs, provideChromium } from '../scripts/chromium.ts'

export const phoneSize = { width: 390, height: 844 }
export const desktopSize = { width: 1440, height: 900 }

/** Where the Chromium is; null when there is none outside CI: what needs it is skipped, and said aloud before. */
export const chromiumPath = await provideChromium()

/** A real Chromium. Throws when there is none. */
export async function openBrowser(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('no Chromium on this machine')
  return chromium.launch({ executablePath: chromiumPath, args: [...chromiumArgs] })
}

/** How long a person's step may take on a busy machine. */
export const SLOW = { timeout: 20_000 }
/** What a person does: the first thing that has the name, waited for. */
export const shows = (at: Page | Locator, text: string | RegExp) => at.getByText(text).first().waitFor(SLOW)
export const press = (at: Page | Locator, name: string | RegExp) => at.getByRole('button', { name }).first().click(SLOW)
export const follow = (at: Page | Locator, name: string | RegExp) => at.getByRole('link', { name }).first().click(SLOW)
export const fill = (at: Page | Locator, label: string | RegExp, text: string) =>
  at.getByLabel(label).first().fill(text, SLOW)

const pictures = fileURLToPath(new URL('../.tmp/screenshots/', import.meta.url))

/**
 * Keeps a picture of a page in .tmp/screenshots/, for somebody to look at: the whole page, or what one sees of it. Not in
 * CI, where nobody does, and making them all is a tenth of the time.
 */
export async function takePicture(page: Page, name: string, fullPage = true): Promise<void> {
  if (process.env['CI'] !== 'true') await page.screenshot({ path: `${pictures}${name}.png`, fullPage })
}

/** What a page must not do, noted while it runs: errors of scripts, answers of 5xx, calls to any other machine. */
export function watch(page: Page, allowed: readonly string[]): string[] {
  const wrong: string[] = []
  page.on('pageerror', (error) => wrong.push(`script: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) wrong.push(`console: ${message.text()}`)
  })
  page.on('response', (answer) => {
    if (answer.status() >= 500) wrong.push(`${answer.status()} ${answer.url()}`)
  })
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (['http:', 'https:'].includes(url.protocol) && !allowed.includes(url.origin)) wrong.push(`called ${url.origin}`)
  })
  return wrong
}

/** Signs in to the console as a person: company code, then the sandbox's WeCom asks who scans. */
export async function signInAt(page: Page, serverUrl: string, userid: string): Promise<void> {
  await page.goto(`${serverUrl}/hr/sign-in/demo?return=/console/`)
  const here = new URL(page.url())
  here.searchParams.set('as', userid)
  await page.goto(here.href)
  await page.waitForURL(`${serverUrl}/console/**`)
}
