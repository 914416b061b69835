/**
 * The phases of `bench -- notice` beside the load, each a process of its own:
 *   place URL COUNT KEYS-FILE PAYMENTS-FILE   orders of one card, each with an open WeChat payment
 *   copy FROM-URL INTO-URL                    the same rows in a second database, for the driver alone
 *   check URL COUNT                           what was done twice or not at all, and the proof of the books
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'mysql2/promise'
import { fen } from '../contract/fen.ts'
import { encodeId } from '../contract/ids.ts'
import type { Edge, Tx } from '../server/kernel/context.ts'
import { insertRows, sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { createBrand } from '../server/modules/catalog/create-template.ts'
import { aTemplate } from '../server/testing/cards.ts'
import { openBench } from './bench-house.ts'
import type { Expected, NoticeKeys } from './notice-made.ts'
import { answer } from './phases.ts'

const [FACE, PRICE] = [fen(50_000), fen(48_000)]
const ROWS_AT_ONCE = 500
const LIFE_MS = 2 * 3_600_000

/**
 * Orders as they stand when each has shown its QR: placed, one slice planned, one payment open over the whole price and
 * watched; the next look at it is due after the run.
 */
async function place(edge: Edge, count: number, keys: NoticeKeys): Promise<Expected[]> {
  const [brandId, templateVersionId] = await edge.tx(async (tx) => {
    const { mchid, appid } = keys
    const id = await createBrand(tx, { name: '青禾', issuerPrefix: '6230', wechatPay: { mchid, appid } })
    return [id, await aTemplate(tx, id)] as const
  })
  const expected: Expected[] = []
  for (let done = 0; done < count; done += ROWS_AT_ONCE) {
    const some = Math.min(ROWS_AT_ONCE, count - done)
    expected.push(...(await edge.tx((tx) => placeSome(tx, { from: done, some, brandId, templateVersionId, keys }))))
  }
  return expected
}

async function placeSome(tx: Tx, given: Given & { readonly from: number; readonly some: number }): Promise<Expected[]> {
  const rows = Array.from({ length: given.some }, (_, index) => rowsOf(tx, given, given.from + index))
  const tables = {
    orders: 'order',
    order_item: 'item',
    order_slice: 'slice',
    payment: 'payment',
    payment_part: 'part',
    job: 'watch',
  }
  for (const [table, name] of Object.entries(tables))
    await insertRows(
      tx.em,
      table,
      rows.map((row) => row[name as keyof (typeof rows)[number]]),
    )
  return rows.map(({ payment }) => ({ outTradeNo: payment.out_trade_no, totalFen: payment.amount_fen }))
}

interface Given {
  readonly brandId: string
  readonly templateVersionId: string
  readonly keys: NoticeKeys
}

/** The rows of one order, by what they are. */
function rowsOf(tx: Tx, given: Given, number: number) {
  const now = tx.clock.now()
  const [order_id, payment_id] = [tx.newId('order'), tx.newId('payment')]
  return {
    order: {
      id: order_id,
      company_id: null,
      state: 'awaiting_funds',
      version: 2,
      total_fen: PRICE,
      secured_fen: 0,
      issued_fen: 0,
      item_count: 1,
      created_at_ms: now,
    },
    item: {
      id: tx.newId('orderItem'),
      order_id,
      seq: 0,
      holder_id: encodeId('person', BigInt(number)),
      template_version_id: given.templateVersionId,
      face_fen: FACE,
      price_fen: PRICE,
    },
    slice: { id: tx.newId('orderSlice'), order_id, from_seq: 0, to_seq: 1, state: 'planned' },
    payment: {
      id: payment_id,
      company_id: null,
      order_id,
      source: 'wechat_pay',
      state: 'opened',
      version: 3,
      amount_fen: PRICE,
      mchid: given.keys.mchid,
      appid: given.keys.appid,
      product: 'native',
      out_trade_no: `FLK${payment_id.slice(4)}`,
      code_url: `weixin://wxpay/bizpayurl?pr=${payment_id}`,
      expires_at_ms: now + LIFE_MS,
      opened_by: 'bench',
      opened_at_ms: now,
    },
    part: { id: tx.newId('paymentPart'), payment_id, brand_id: given.brandId, amount_fen: PRICE },
    watch: {
      id: tx.newId('job'),
      kind: 'payment.watch',
      job_key: `payment.watch:${payment_id}:${now + LIFE_MS}`,
      lane: 'small',
      args: JSON.stringify({ paymentId: payment_id }),
      state: 'ready',
      attempts: 0,
      ready_at_ms: now + LIFE_MS,
      created_at_ms: now,
    },
  }
}

/** Every table that was filled, into a database of the same shape. */
async function copy(from: string, into: string): Promise<void> {
  if (!from.startsWith('mysql:')) return copyFileSync(from, into)
  const connection = await createConnection(into)
  const name = new URL(from).pathname.slice(1)
  for (const table of [
    'brand',
    'template_version',
    'orders',
    'order_item',
    'order_slice',
    'payment',
    'payment_part',
    'job',
  ])
    await connection.query(`insert into ${table} select * from ${name}.${table}`)
  await connection.end()
}

/** Counts by plain queries of its own what happened to each payment and order, then proves the books. */
async function check(edge: Edge): Promise<object> {
  const count = async (text: string): Promise<number> => {
    const [row] = await edge.read((tx) => sql<{ n: unknown }>(tx.em, `select count(*) as n from (${text}) as found`))
    return Number(row?.n)
  }
  const twice = [
    "select ref from entry where kind = 'funds_received' group by ref having count(*) > 1",
    "select ref from entry where kind = 'issued' group by ref having count(*) > 1",
    "select object_id from trail where act = 'payment.paid' group by object_id having count(*) > 1",
    "select object_id from trail where act = 'orders.funded' group by object_id having count(*) > 1",
    'select order_item_id from card group by order_item_id having count(*) > 1',
  ]
  let effectsTwice = 0
  for (const text of twice) effectsTwice += await count(text)
  const paid = await count("select id from payment where state = 'paid' and outcome = 'exact'")
  const funded = await count("select id from orders where state in ('funded', 'issuing', 'issued')")
  const issued = await count("select id from orders where state = 'issued'")
  const cards = await count('select id from card')
  return { paid, funded, issued, cards, effectsTwice, findings: await edge.read(proveBooks) }
}

const [phase = '', url = '', count = '0', keysFile = '', paymentsFile = ''] = process.argv.slice(2)
if (phase === 'copy') {
  await copy(url, count)
  answer({})
} else {
  const { store, edge } = await openBench(url, phase === 'place' ? 1001 : 1002)
  if (phase === 'place') {
    const keys = JSON.parse(readFileSync(keysFile, 'utf8')) as NoticeKeys
    const expected = await place(edge, Number(count), keys)
    writeFileSync(paymentsFile, JSON.stringify(expected))
    answer({ placed: expected.length })
  } else if (phase === 'check') answer(await check(edge))
  else throw new Error(`no such phase: ${phase}`)
  await store.close()
}
