import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import type { Id } from '../contract/ids.ts'
import { silentLog } from '../server/kernel/log.ts'
import { aPassFile } from '../server/testing/passes.ts'
import { openBrowser, phoneSize, watch } from './browser.ts'
import { makePackWorld, type PackWorld } from './pack-world.ts'
import { openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'

/** The digits that the page shows, as a till reads them: they stand nowhere in words, so they are caught on their way. */
export async function shownCode(page: Page, act: () => Promise<unknown>): Promise<string> {
  const answer = page.waitForResponse((one) => one.url().endsWith('/pay-code') && one.ok())
  await act()
  return ((await (await answer).json()) as { code: string }).code
}

/** A phone in somebody's hand. */
export interface Phone {
  readonly page: Page
  readonly context: BrowserContext
}

/** Two colleagues with their phones, in Chromium, on a stage of their own. */
export interface Hands {
  readonly stage: OpenStage
  readonly world: PackWorld
  /** What went wrong on each page that was opened. */
  readonly notes: string[][]
  /** Opens a phone; of a person, signed in; null: nobody's. */
  readonly openPhone: (person: number | null, more?: object) => Promise<Phone>
  readonly signInAs: (page: Page, person: number) => Promise<void>
  /** The address of a page of the pack. */
  readonly to: (path: string) => string
  /** A card of somebody by what is printed on it. */
  readonly cardWith: (person: number, faceFen: number) => Id<'card'>
  readonly close: () => Promise<void>
}

/** Opens a stage where both have a card of each of these faces, and may pass it on. */
export async function openHands(facesFen: readonly number[]): Promise<Hands> {
  const browser = await openBrowser()
  const passes = mkdtempSync(join(tmpdir(), 'fulika-pass-'))
  const file = join(passes, 'pass.json')
  writeFileSync(file, JSON.stringify(aPassFile()), { mode: 0o600 })
  const stage = await openStage('sqlite', silentLog(), { FULIKA_PASS_FILE: file })
  const world = await makePackWorld(stage, facesFen)
  const admin = await step.memberOf(stage, 'admin')
  await admin.call('/hr/settings/gift-depth', { method: 'PUT', json: { giftDepth: 2 } })
  const notes: string[][] = []
  async function signInAs(page: Page, person: number): Promise<void> {
    const here = new URL(page.url())
    here.searchParams.set('as', world.people[person]!.userid)
    await page.goto(here.href)
  }
  return {
    stage,
    world,
    notes,
    signInAs,
    openPhone: async (person, more = {}) => {
      const context = await browser.newContext({
        viewport: phoneSize,
        deviceScaleFactor: 3,
        isMobile: true,
        hasTouch: true,
        locale: 'zh-CN',
        reducedMotion: 'reduce',
        ...more,
      })
      const page = await context.newPage()
      notes.push(watch(page, [stage.serverUrl, stage.wecomUrl]))
      if (person !== null) {
        await page.goto(`${stage.serverUrl}/employee/sign-in/demo`)
        await signInAs(page, person)
        await page.waitForURL(`${stage.serverUrl}/pack/**`)
      }
      return { page, context }
    },
    to: (path) => `${stage.serverUrl}/pack${path}`,
    cardWith: (person, faceFen) => world.people[person]!.cards.find((card) => card.faceFen === faceFen)!.id,
    close: async () => {
      await browser.close()
      await stage.close()
      rmSync(passes, { recursive: true })
    },
  }
}
