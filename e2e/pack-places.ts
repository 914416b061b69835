import type { Page } from 'playwright-core'
import type { GivenGift } from '../contract/employee/gift.ts'
import { shows, press } from './browser.ts'
import { shownCode, type Hands } from './pack-hands.ts'

/** A page of the pack as somebody sees it, with what is opened on it by a press. */
export interface Place {
  readonly name: string
  readonly person: 0 | 1
  readonly path: string
  readonly act?: (page: Page) => Promise<void>
  /** What comes of a press and holds no more than its page does is looked at on the phone alone. */
  readonly phoneOnly?: true
}

/** Every page of a card, and what becomes of it: paid, set aside, given, frozen, read aloud, without network. */
export async function openPlaces({ world, cardWith }: Hands): Promise<readonly Place[]> {
  const [card, theirs, frozen] = [cardWith(0, 200_00), cardWith(1, 200_00), cardWith(1, 500_00)]
  const { phone } = world.people[1]!
  const words = { cover: 'birthday', greeting: '生日快乐，天天开心！' }
  const gift = await phone.call<GivenGift>(`/employee/cards/${theirs}/gifts`, { json: words })
  await phone.call(`/employee/cards/${frozen}/lost`, { method: 'POST' })
  const door = (gift.path ?? '').slice('/pack'.length)
  const paid = (how: 'capture' | 'hold') => async (page: Page) => {
    await world.pay(await shownCode(page, () => page.reload()), 1_00, how)
    await shows(page, /^(完成|Done)$/)
  }
  const own: readonly Omit<Place, 'person'>[] = [
    { name: 'list', path: '/' },
    { name: 'card', path: `/cards/${card}` },
    { name: 'thanks', path: `/cards/${card}`, act: (page) => press(page, /^(感谢一下|Say thank you)$/) },
    { name: 'pay', path: `/cards/${card}/pay` },
    { name: 'pay-all', path: '/pay' },
    { name: 'shops', path: `/cards/${card}/shops` },
    { name: 'care', path: `/cards/${card}/care` },
    { name: 'lost', path: `/cards/${card}/care`, act: (page) => press(page, /^(冻结这张卡|Freeze this card)$/) },
    { name: 'keep', path: `/cards/${card}/keep`, act: takeOut },
    { name: 'print', path: `/cards/${card}/print` },
    { name: 'bind', path: '/bind', act: (page) => press(page, /^(绑定|Bind)$/) },
    { name: 'give', path: `/cards/${card}/give` },
    { name: 'gifts', path: '/gifts' },
    { name: 'missing', path: `/cards/${theirs}` },
    { name: 'device', path: `/device/${'x'.repeat(60)}` },
    { name: 'gift-missing', path: '/gift/0123456789ABCDEFGHJKMNPQRS' },
    { name: 'paid', path: `/cards/${card}/pay`, act: paid('capture'), phoneOnly: true },
    { name: 'set-aside', path: `/cards/${card}/pay`, act: paid('hold'), phoneOnly: true },
    { name: 'turned', path: `/cards/${card}/pay`, act: turn, phoneOnly: true },
    { name: 'gift-cover', path: door, phoneOnly: true },
    { name: 'gift-door', path: door, act: openGift, phoneOnly: true },
    { name: 'offline', path: '/', act: goOffline, phoneOnly: true },
  ]
  const ofColleague: readonly Omit<Place, 'person'>[] = [
    { name: 'given', path: `/gifts/${gift.id}` },
    { name: 'giving', path: `/cards/${theirs}`, phoneOnly: true },
    { name: 'frozen', path: `/cards/${frozen}`, phoneOnly: true },
    { name: 'care-frozen', path: `/cards/${frozen}/care`, phoneOnly: true },
    { name: 'secret', path: `/cards/${cardWith(1, 88_00)}/care`, act: reveal, phoneOnly: true },
  ]
  return [
    ...own.map((place) => ({ ...place, person: 0 as const })),
    ...ofColleague.map((place) => ({ ...place, person: 1 as const })),
  ]
}

async function takeOut(page: Page): Promise<void> {
  await press(page, /^(生成图片|Make the picture)$/)
  await press(page, /^(生成链接|Make a link)$/)
  await page.locator('section .code').waitFor()
}

async function turn(page: Page): Promise<void> {
  await page.locator('.bars svg').waitFor()
  await page.locator('button.plain').click()
  await page.locator('.turned svg').waitFor()
}

async function openGift(page: Page): Promise<void> {
  await press(page, /^(打开|Open)$/)
  await page.getByRole('button', { name: /^(收下这张卡|Take this card)$/ }).waitFor()
  await page.locator('.leaf').waitFor({ state: 'detached' })
}

async function reveal(page: Page): Promise<void> {
  await press(page, /^(查看卡号和密码|Show)/)
  await shows(page, /^[0-9A-Z]{4}( [0-9A-Z]{4}){3}$/)
}

async function goOffline(page: Page): Promise<void> {
  await page.context().setOffline(true)
  await press(page, /^(刷新|Refresh)$/)
  await page.locator('.offline').waitFor()
}
