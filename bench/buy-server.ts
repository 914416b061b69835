/**
 * The product in a process of its own for `bench -- buy`, set up by its environment: web, worker and schedule, with the real
 * adapters. It puts one card on its shelf, knows some buyers, and notes how long each call of WeChat Pay took.
 */
import { subscribe } from 'node:diagnostics_channel'
import { performance } from 'node:perf_hooks'
import { createLog } from '../server/kernel/log.ts'
import { fen } from '../contract/fen.ts'
import { readConfig } from '../server/config.ts'
import { encodeSession } from '../server/kernel/cookies.ts'
import { change, sql } from '../server/kernel/sql.ts'
import { start } from '../server/main.ts'
import { knowBuyer } from '../server/modules/buyer/know-buyer.ts'
import { createBrand } from '../server/modules/catalog/create-template.ts'
import { sessionCookies } from '../server/modules/company/open-session.ts'
import { createListing } from '../server/modules/shelf/create-listing.ts'
import { aTemplate } from '../server/testing/cards.ts'
import { peakRssMiB } from './phases.ts'

/** What there is to buy, and by whom. */
export interface StoreGround {
  readonly listingId: string
  readonly versionId: string
  readonly buyers: readonly { readonly openid: string; readonly cookie: string }[]
}
export interface StoreLook {
  readonly cpuSeconds: number
  readonly ready: number
  /** How long WeChat Pay took for each order that was placed, in ms, as this process saw it. */
  readonly payMs: readonly number[]
  readonly peakRssMiB: number
}

let payMs: number[] = []
/** When each order was handed to WeChat Pay. */
const asked = new WeakMap<object, number>()
interface Told {
  readonly request: { readonly path: string }
}
subscribe('undici:request:create', (told) => {
  const { request } = told as Told
  if (request.path === '/v3/pay/transactions/jsapi') asked.set(request, performance.now())
})
subscribe('undici:request:headers', (told) => {
  const began = asked.get((told as Told).request)
  if (began !== undefined) payMs.push(performance.now() - began)
})
const config = readConfig(process.env)
const running = await start(config, createLog({ level: config.logLevel }))
let cpu = process.cpuUsage()

async function ground(order: { mchid: string; appid: string; buyers: number }): Promise<StoreGround> {
  const { edgeFor, house } = running.open
  const edge = edgeFor({ kind: 'system', name: 'bench' })
  const { mchid, appid } = order
  const card = await edge.tx(async (tx) => {
    const brandId = await createBrand(tx, { name: '沐光咖啡', issuerPrefix: '6230', wechatPay: { mchid, appid } })
    const times = { validDays: 1095, coolingOffMs: 3 * 3_600_000, rightMs: 7 * 86_400_000 }
    const faces = { named: false, minFaceFen: fen(10_000), maxFaceFen: fen(50_000), stepFen: fen(10_000) }
    const versionId = await aTemplate(tx, brandId, { ...faces, ...times, priceBp: 9_500 })
    const counts = { stock: 1_000_000, perBuyerCap: null, segment: null, promo: null, giftable: true, series: false }
    const words = { category: 'drinks', title: '咖啡卡', subtitle: '', channels: ['wechat' as const] } as const
    const listingId = await createListing(tx, versionId, { ...words, ...counts, channels: [...words.channels] })
    await change(tx.em, "update listing set state = 'on' where id = ?", [listingId])
    return { listingId, versionId }
  })
  const buyers: { openid: string; cookie: string }[] = []
  for (let number = 0; number < order.buyers; number += 1) {
    const openid = `o${String(number).padStart(27, '0')}`
    const buyerId = await edge.tx((tx) => knowBuyer(tx, { appid, openid, unionid: null }))
    const session = { kind: 'buyer', ids: { buyerId }, expiresAtMs: Date.now() + 86_400_000 } as const
    buyers.push({ openid, cookie: `${sessionCookies.buyer.name}=${encodeSession(session, house.sessionKey)}` })
  }
  return { ...card, buyers }
}

async function look(): Promise<StoreLook> {
  const used = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  const took = payMs
  payMs = []
  const [row] = await running.open.store.read((em) => sql<{ n: unknown }>(em, 'select count(*) as n from card'))
  const cpuSeconds = (used.user + used.system) / 1e6
  return { cpuSeconds, ready: Number(row?.n), payMs: took, peakRssMiB: peakRssMiB() }
}

process.on('message', (order: { kind: string; mchid: string; appid: string; buyers: number }) => {
  const done = (told: object) => process.send?.(told)
  if (order.kind === 'look') void look().then(done)
  else if (order.kind === 'ground') void ground(order).then(done)
  else void running.stop().then(() => process.exit(0))
})
process.once('disconnect', () => void running.stop().then(() => process.exit(0)))
process.send?.({ port: Number(new URL(running.url).port) })
