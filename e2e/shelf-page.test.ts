import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Shelf } from '../contract/store/shelf.ts'
import { chromiumPath, desktopSize, fill, follow, openBrowser, press, shows, SLOW, watch } from './browser.ts'
import { openStage, type OpenStage } from './stage.ts'

// What each write does is tested beside its command on both databases; here it is the pages, and what the storefront shows of them.
describe.skipIf(chromiumPath === null)('the shelf’s page', () => {
  let stage: OpenStage
  let browser: Browser
  let page: Page
  let wrong: string[]
  beforeAll(async () => {
    stage = await openStage('sqlite')
    browser = await openBrowser()
    const context = await browser.newContext({ locale: 'zh-CN', reducedMotion: 'reduce', viewport: desktopSize })
    page = await context.newPage()
    page.setDefaultTimeout(SLOW.timeout)
    wrong = watch(page, [stage.serverUrl])
    await page.goto(`${stage.serverUrl}/ops/sign-in`)
    await page.locator('input').first().fill(stage.operatorKey)
    await press(page, '登录')
    await page.waitForURL(`${stage.serverUrl}/ops/`)
  })
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })
  const sold = async (search: string): Promise<Shelf> => {
    const answer = await fetch(`${stage.serverUrl}/store/shelf?search=${encodeURIComponent(search)}`)
    return (await answer.json()) as Shelf
  }

  test('a template is listed, put on the shelf, sold for less for a time, and taken off', async () => {
    await page.goto(`${stage.serverUrl}/ops/shelf`)
    await press(page, '上架新卡')
    const dialog = page.getByRole('dialog').filter({ visible: true }).last()
    await dialog.getByPlaceholder('选择卡模板').click()
    await page.getByText('沐光咖啡 · 咖啡畅饮卡').last().click()
    await press(dialog, '下一步')
    await page.waitForURL('**/ops/shelf/new/**')
    await fill(page, '名称', '畅饮年卡')
    await fill(page, '库存', '30')
    await fill(page, '每人限购', '2')
    await press(page, '存为草稿')
    await page.waitForURL(/\/ops\/shelf\/lst_/)
    await shows(page, '草稿')
    expect((await sold('cynk')).total).toBe(0)
    await press(page, '上架')
    await shows(page, '已上架')
    expect((await sold('cynk')).listings).toMatchObject([{ title: '畅饮年卡', left: 30, priceBp: 10_000 }])

    await page.getByText('设限时价').click()
    await fill(page, '限时价（占面额）', '100')
    await shows(page, '请先填好标出的内容。')
    await fill(page, '限时价（占面额）', '80')
    await page.locator('input[name="promo-from"]').fill('2026-01-01 00:00:00')
    await page.locator('input[name="promo-from"]').press('Enter')
    await press(page, '保存')
    await expect.poll(async () => (await sold('cynk')).listings[0]?.priceBp, SLOW).toBe(8_000)
    await press(page, '下架')
    const asked = page.getByRole('dialog').filter({ visible: true }).last()
    await press(asked, '下架')
    await shows(page, '已下架')
    expect((await sold('cynk')).total).toBe(0)
    await follow(page, '全部上架')
    await page.getByRole('row').filter({ hasText: '畅饮年卡' }).waitFor()
    expect(wrong).toEqual([])
  })
})
