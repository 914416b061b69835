import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { handlers } from '../jobs/handlers.ts'

export type PageLang = 'zh' | 'en'

const root = fileURLToPath(new URL('../wecom-app/', import.meta.url))

/** Waits until a page has its heading and nothing loads any more. */
export async function settle(page: Page): Promise<void> {
  await page.locator('h1:visible').first().waitFor({ timeout: 8_000 })
  const still = `[...document.querySelectorAll('.skeleton, .t-loading')].every((one) => !one.checkVisibility())`
  const end = Date.now() + 8_000
  while (!(await page.evaluate<boolean>(still))) {
    if (Date.now() > end) throw new Error('something still loads')
    await sleep(100)
  }
  await page.evaluate('document.fonts.ready.then(() => null)')
}

interface Seen {
  readonly lang: string
  readonly title: string
  readonly text: string
  readonly faults: readonly string[]
}

export interface Stop {
  readonly text: string
  /** Whether one can see that it has the focus. */
  readonly ring: boolean
}

/** What has the focus now. */
export const focusOf = (page: Page): Promise<Stop> =>
  page.evaluate<Stop>(`(() => {
  const here = document.activeElement
  const ring = (one) => getComputedStyle(one).outlineStyle !== 'none' || getComputedStyle(one).boxShadow !== 'none'
  const cell = document.getElementById(here.getAttribute('aria-activedescendant') ?? '')
  const frame = cell ?? here.closest('.t-input, label') ?? here
  return { text: here === document.body ? 'body' : here.textContent.trim(), ring: here === document.body || ring(here) || ring(frame) }
})()`)

/** What is wrong with a page as it stands: one sentence for each fault. */
export async function faultsOf(page: Page, lang: PageLang): Promise<string[]> {
  const seen = await page.evaluate<Seen>(`${look})()`)
  const faults = [...seen.faults]
  if (seen.lang !== { zh: 'zh-CN', en: 'en' }[lang]) faults.push(`the page says its language is ${seen.lang}`)
  const words = `${seen.title}\n${seen.text}`
  for (const [key] of words.matchAll(rawKey)) if (!(key in handlers)) faults.push(`a raw key is shown: ${key}`)
  const others = foreign[lang].filter((text) => words.includes(text))
  return [...faults, ...others.map((text) => `a text of the other language is shown: ${text}`)]
}

/** The look itself runs in the page and is typed with the pages; here it is text. */
const look = stripTypeScriptTypes(readFileSync(`${root}testing/look-at-page.ts`, 'utf8')).replace(
  'export function',
  '(function',
)

type Texts = { readonly [key: string]: string | Texts }
const files = globSync('{lib,hr,employee,operator,merchant,store}/locales/*/*.json', { cwd: root })
const names = [...new Set(files.map((file) => basename(file, '.json')))]
const rawKey = new RegExp(`\\b(?:${names.join('|')})(?:\\.[a-z][A-Za-z_]*)+\\b`, 'g')

const leaves = (texts: Texts): string[] =>
  Object.values(texts).flatMap((one) => (typeof one === 'string' ? [one] : leaves(one)))
function textsIn(tag: string): string[] {
  return files
    .filter((file) => file.includes(`/${tag}/`))
    .flatMap((file) => leaves(JSON.parse(readFileSync(`${root}${file}`, 'utf8')) as Texts))
    .filter((text) => !text.includes('{'))
}
/** Texts of the other language that are long enough to be no name or number of somebody's. */
const foreign: Readonly<Record<PageLang, readonly string[]>> = {
  // What WeCom calls a thing in its protocol (suite_ticket) is called so in both.
  zh: textsIn('en').filter((text) => text.length >= 12 && !/\p{Script=Han}|^[a-z]+(_[a-z]+)+$/u.test(text)),
  en: textsIn('zh-CN').filter((text) => text.length >= 6 && /^\p{Script=Han}/u.test(text)),
}
