// npm run demo -- FILE [--json]: the main job on a given staff list, over HTTP, as HR, approver, payer and employees would
// do it: its own server with the sandbox, on the database of DATABASE_URL or on a fresh SQLite file.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { freePorts, stageOf } from '../e2e/stage.ts'
import * as step from '../e2e/steps.ts'
import type { Stage } from '../e2e/steps.ts'
import { streamStaffList } from '../importers/staff-list.ts'
import { SheetRefusal } from '../importers/sheet-refusal.ts'
import { formatYuan } from '../contract/fen.ts'
import { readConfig } from '../server/config.ts'
import { start } from '../server/main.ts'
import { createLog } from '../server/kernel/log.ts'

const json = process.argv.includes('--json')
const path = process.argv.slice(2).find((arg) => !arg.startsWith('--'))
/** How many employees open their card; the others leave it for later. */
const OPENERS = 300
/** Every so many people is missing in WeCom, has no licence, or lies outside the app's range: on purpose. */
const LEFT_OUT = { missing: 97, unlicensed: 389, invisible: 401 }

interface Listed {
  readonly rows: number
  readonly faults: number
  readonly withAmount: number
  readonly members: { userid: string; name: string; mobile: string | null; licensed: boolean; visible: boolean }[]
}

/** Reads the list as the sandbox's WeCom would know these people. */
async function peopleOf(file: string): Promise<Listed> {
  const members: Listed['members'] = []
  const counts = { rows: 0, faults: 0, withAmount: 0 }
  await streamStaffList(file, { fileName: basename(file) }, ({ person, faults }) => {
    counts.rows += 1
    counts.faults += faults.length
    if (faults.length > 0) return
    if (person.amountFen !== null) counts.withAmount += 1
    if (counts.rows % LEFT_OUT.missing === 0) return
    const userid = person.wecomUserId ?? `u${String(counts.rows).padStart(6, '0')}`
    const licensed = counts.rows % LEFT_OUT.unlicensed !== 0
    members.push({
      userid,
      name: person.name,
      mobile: person.phone,
      licensed,
      visible: counts.rows % LEFT_OUT.invisible !== 0,
    })
  })
  return { ...counts, members }
}

/** A line that is rewritten while work goes on; on a pipe only the last state of each is printed. */
function bar(label: string): (done: number, of: number) => void {
  let last = -1
  return (done, of) => {
    const share = of === 0 ? 0 : Math.floor((done / of) * 30)
    if (!process.stderr.isTTY && done < of) return
    if (done === last) return
    last = done
    const line = `${label.padEnd(6, '　')} ${'█'.repeat(share)}${'░'.repeat(30 - share)} ${done}/${of}`
    process.stderr.write(process.stderr.isTTY && done < of ? `\r${line}` : `\r${line}\n`)
  }
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** A database of its own for the demo: SQLite in a temporary folder, or a fresh schema on the server of DATABASE_URL. */
async function freshDatabase(): Promise<{ env: Record<string, string>; drop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-demo-'))
  const given = process.env['DATABASE_URL']
  const env: Record<string, string> = { FULIKA_DATA_DIR: folder, FULIKA_LOG_LEVEL: 'error' }
  if (given?.startsWith('mysql:') !== true) return { env, drop: async () => rmSync(folder, { recursive: true }) }
  const url = new URL(given)
  const name = `fulika_demo_${process.pid}_${Date.now()}`
  const run = async (statement: string): Promise<void> => {
    const server = new URL(given)
    server.pathname = '/'
    const connection = await createConnection(server.toString())
    await connection.query(statement)
    await connection.end()
  }
  await run(`create database ${name} character set utf8mb4 collate utf8mb4_bin`)
  url.pathname = `/${name}`
  return {
    env: { ...env, DATABASE_URL: url.toString() },
    drop: async () => {
      await run(`drop database ${name}`)
      rmSync(folder, { recursive: true })
    },
  }
}

/** Three sources for one order: the wallet (topped up by a transfer first), a WeChat payment, a bank transfer. */
async function payThreeWays(stage: Stage, orderId: string): Promise<{ source: string; fen: number }[]> {
  const finance = await step.memberOf(stage, 'chenli')
  const operator = await step.operatorOf(stage)
  const { totalFen } = await step.readOrder(finance, orderId)
  const wallet = Math.floor(totalFen * 0.4)
  const wechat = Math.floor(totalFen * 0.25)
  const bank = totalFen - wallet - wechat
  const { reference } = await step.readWallet(finance)
  await step.transfer(stage, reference, wallet)
  const transferred = await step.openPayment(finance, orderId, 'bank_transfer', bank)
  await step.transfer(stage, transferred.reference ?? '', bank)
  const scanned = await step.openPayment(finance, orderId, 'wechat_pay', wechat)
  await step.payByScan(stage, scanned)
  await step.importStatement(stage, operator)
  await step.openPayment(finance, orderId, 'wallet', wallet)
  const order = await step.waitFunded(finance, orderId)
  return order.payments
    .filter((one) => one.state === 'paid')
    .map((one) => ({ source: one.source, fen: one.paidFen ?? 0 }))
}

/** Some employees open their cards, a few at a time. Answers how many found their card in the pack. */
async function openCards(stage: Stage, userids: readonly string[], campaignId: string): Promise<number> {
  const show = bar('打开')
  let [next, found] = [0, 0]
  const hand = async (): Promise<void> => {
    while (next < userids.length) {
      const userid = userids[next++]!
      const pack = await step.openPack(stage, userid, campaignId)
      if (pack.cards.some((card) => card.campaignId === campaignId)) found += 1
      show(next, userids.length)
    }
  }
  await Promise.all(Array.from({ length: 8 }, hand))
  return found
}

async function demo(file: string): Promise<void> {
  const startedMs = Date.now()
  say(`名单 ${basename(file)}`)
  const listed = await peopleOf(file)
  const database = await freshDatabase()
  const [web = 0, wecom = 0, pay = 0, wechat = 0] = await freePorts(4)
  const ports = {
    PORT: `${web}`,
    FULIKA_SANDBOX_WECOM_PORT: `${wecom}`,
    FULIKA_SANDBOX_PAY_PORT: `${pay}`,
    FULIKA_SANDBOX_WECHAT_PORT: `${wechat}`,
  }
  const config = readConfig({ ...ports, ...database.env })
  const running = await start(config, createLog({ level: 'error' }))
  try {
    const stage = stageOf(config.dataDir, { web, wecom, pay, wechat })
    await step.fillDirectory(stage, listed.members)
    const result = await walk(stage, file, listed)
    const seconds = Math.round((Date.now() - startedMs) / 100) / 10
    if (json) console.log(JSON.stringify({ ...result, seconds }))
    else console.log(summary(result, seconds))
    if (!result.booksBalanced) process.exitCode = 1
  } finally {
    await running.stop()
    await database.drop()
  }
}

type Result = Awaited<ReturnType<typeof walk>>

async function walk(stage: Stage, file: string, listed: Listed) {
  const hr = await step.memberOf(stage, 'linxiao')
  const approver = await step.memberOf(stage, 'zhoumin')
  const reading = bar('读取')
  const rosterId = await step.uploadRoster(hr, basename(file), await readFile(file))
  const roster = await step.waitRoster(hr, rosterId, ['needs_mending', 'ready'], (one) =>
    reading(one.rowsRead, one.rowCount || listed.rows),
  )
  const used = await step.applyRoster(hr, rosterId)
  const amountFrom = listed.withAmount > 0 ? 'column' : 'same'
  const campaignId = await step.draftCampaign(hr, { rosterId, title: '中秋礼遇', amountFrom, faceFen: 20_000 })
  const { orderId, dryRun } = await step.submitAndApprove(hr, approver, campaignId)
  say(`审批通过：${dryRun.heads} 人，面额合计 ${formatYuan(dryRun.faceTotalFen)}`)
  const payments = await payThreeWays(stage, orderId)
  for (const one of payments) say(`到账 ${one.source} ${formatYuan(one.fen)}`)
  const [issuing, sending] = [bar('制卡'), bar('送达')]
  await step.waitDelivered(hr, campaignId, (one) => {
    issuing(one.issued, one.heads)
    sending(one.heads - one.delivery.pending, one.heads)
  })
  const reachable = listed.members.filter((one) => one.licensed && one.visible)
  const stride = Math.max(1, Math.floor(reachable.length / OPENERS))
  const openers = reachable.filter((_one, index) => index % stride === 0).slice(0, OPENERS)
  const found = await openCards(
    stage,
    openers.map((one) => one.userid),
    campaignId,
  )
  if (found !== openers.length) say(`注意：${openers.length - found} 人打开卡包时没有看到卡`)
  const progress = await step.waitDelivered(hr, campaignId)
  const proof = await step.proveBooks(await step.operatorOf(stage))
  return {
    rows: roster.rowCount,
    valid: used.rowCount - used.faultyCount,
    faults: listed.faults,
    recipients: progress.heads,
    cards: progress.issued,
    faceFen: dryRun.faceTotalFen,
    fundedFen: progress.securedFen,
    payments,
    delivery: progress.delivery,
    failureReasons: Object.fromEntries(progress.failures.map((one) => [one.reason, one.count])),
    booksBalanced: proof.balanced,
  }
}

function summary(result: Result, seconds: number): string {
  const { delivery } = result
  const lines = [
    `名单 ${result.rows} 行，有效 ${result.valid}，问题 ${result.faults} 处；收卡人 ${result.recipients}`,
    `发卡 ${result.cards} 张，面额 ${formatYuan(result.faceFen)}，到账 ${formatYuan(result.fundedFen)}（${result.payments.length} 笔）`,
    `送达 ${delivery.sent}（打开 ${delivery.opened}），失败 ${delivery.failed}，待送 ${delivery.pending}`,
    ...Object.entries(result.failureReasons).map(([reason, count]) => `  ${reason} ${count}`),
    `账目${result.booksBalanced ? '平' : '不平'}，用时 ${seconds} 秒`,
  ]
  return lines.join('\n')
}

if (path === undefined || !existsSync(path)) {
  console.error(path === undefined ? 'usage: npm run demo -- FILE [--json]' : `no such file: ${path}`)
  process.exitCode = 2
} else
  demo(path).catch((error: unknown) => {
    const shown = error instanceof SheetRefusal ? { code: error.code, message: error.message } : null
    if (shown !== null && json) console.log(JSON.stringify({ error: shown }))
    else console.error(shown === null ? error : `${shown.code}：${shown.message}`)
    process.exitCode = 1
  })
