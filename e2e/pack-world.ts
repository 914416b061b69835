import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { CardDetail, Pack, PackCard, ShownPayCode } from '../contract/employee/pack.ts'
import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import type { RedemptionView } from '../contract/till.ts'
import { change } from '../server/kernel/sql.ts'
import { createMerchant } from '../server/modules/merchant/create-merchant.ts'
import { createShop } from '../server/modules/merchant/create-shop.ts'
import { actAtTill } from '../server/modules/redemption/act-at-till.ts'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Visitor } from './visitor.ts'

const phoneAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile MicroMessenger/8.0 wxwork/4.1'

/** Colleagues with cards in their packs, and a till where they pay. */
export interface PackWorld {
  readonly people: readonly { readonly userid: string; readonly phone: Visitor; readonly cards: readonly PackCard[] }[]
  /** Takes a bill from the code that a phone shows; or sets it aside only. */
  readonly pay: (code: string, billFen: number, how?: 'capture' | 'hold') => Promise<RedemptionView>
}

/** Gives cards of these faces to two colleagues of the demo company, one by one, and lets them be used at once. */
export async function makePackWorld(stage: OpenStage, facesFen: readonly number[]): Promise<PackWorld> {
  const [hr, approver, finance] = await Promise.all(
    ['linxiao', 'zhoumin', 'chenli'].map((userid) => step.memberOf(stage, userid)),
  )
  if (hr === undefined || approver === undefined || finance === undefined) throw new Error('the demo has nobody')
  const list = readFileSync(new URL('../samples/rosters/clean-200.xlsx', import.meta.url))
  const rosterId = await step.uploadRoster(hr, 'clean-200.xlsx', list)
  await step.waitRoster(hr, rosterId, ['ready'])
  await step.applyRoster(hr, rosterId)
  const { reference } = await step.readWallet(finance)
  await step.transfer(stage, reference, 200 * facesFen.reduce((sum, face) => sum + face, 0))
  await step.importStatement(stage, await step.operatorOf(stage))
  let userids: readonly string[] = []
  for (const [index, faceFen] of facesFen.entries()) {
    const wish = { rosterId, title: `中秋礼遇 ${index + 1}`, amountFrom: 'same', faceFen } as const
    const campaignId = await step.draftCampaign(hr, wish)
    const { orderId, dryRun } = await step.submitAndApprove(hr, approver, campaignId)
    await step.openPayment(finance, orderId, 'wallet', dryRun.faceTotalFen)
    await step.waitDelivered(hr, campaignId)
    const path = `/hr/campaigns/${campaignId}/people?limit=2`
    const { people } = await hr.call<{ people: { wecomUserId: string }[] }>(path)
    userids = people.map((one) => one.wecomUserId)
    for (const userid of userids) await step.openPack(stage, userid, campaignId)
  }
  await skipCoolingOff(stage)
  const people = await Promise.all(
    userids.map(async (userid) => {
      const phone = new Visitor(stage.serverUrl, phoneAgent)
      await phone.signIn('employee', 'demo', userid)
      return { userid, phone, cards: (await phone.call<Pack>('/employee/pack')).cards }
    }),
  )
  return { people, pay: await openTill(stage, people[0]!.cards[0]!.brandId) }
}

/** The cards of a stage can be spent: their cooling-off is over. */
async function skipCoolingOff(stage: OpenStage): Promise<void> {
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  await edge.tx((tx) => change(tx.em, 'update card set locked_until_ms = issued_at_ms'))
}

const shops = [
  { name: '科技园店', city: '深圳', address: '南山区科苑路 15 号', latitudeE6: 22_540_503, longitudeE6: 113_951_242 },
  {
    name: '福田中心店',
    city: '深圳',
    address: '福田区福华三路 88 号',
    latitudeE6: 22_534_100,
    longitudeE6: 114_055_400,
  },
  { name: '平江路店', city: '苏州', address: '姑苏区平江路 1 号', latitudeE6: null, longitudeE6: null },
] as const

/** Shops of a brand in two cities, and a till in the first. */
async function openTill(stage: OpenStage, brandId: Id<'brand'>): Promise<PackWorld['pay']> {
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  const till = await edge.tx(async (tx) => {
    const merchantId = await createMerchant(tx, { brandId, name: '青禾百货' })
    const ids: Id<'shop'>[] = []
    for (const shop of shops)
      ids.push(await createShop(tx, merchantId, { ...shop, phone: '0755-12345678', hours: '10:00–22:00' }))
    return { merchantId, brandId, shopId: ids[0]!, tillId: tx.newId('terminal'), shiftId: null }
  })
  return async (code, billFen, how = 'capture') => {
    const bill = { billFen: fen(billFen), capture: how === 'capture', partial: false, ref: null }
    const act = { kind: 'authorise', on: { codes: [code] }, ...bill } as const
    const [outcome] = await edge.tx((tx) => actAtTill(tx, [{ till, key: randomUUID(), act }]))
    if (outcome?.ok !== true) throw new Error(JSON.stringify(outcome))
    return outcome.view
  }
}

/** The digits of a fresh payment code of a card. */
export const codeOf = async (phone: Visitor, cardId: string): Promise<string> =>
  (await phone.call<ShownPayCode>(`/employee/cards/${cardId}/pay-code`, { method: 'POST' })).code

/** A card as its holder sees it. */
export const cardOf = (phone: Visitor, cardId: string): Promise<CardDetail> =>
  phone.call<CardDetail>(`/employee/cards/${cardId}`)
