import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Values that nobody else has: where one turns up in plain text, personal data or a secret has leaked. */
export const canaries = {
  memberName: '贠羲和',
  bossUserId: 'CnryBoss7Q',
  financeUserId: 'CnryFinance7Q',
  name: '芈翀鹮',
  phone: '19987651234',
  staffNo: 'CNRYNO77310',
  userid: 'CnryWorker7Q',
  note: 'cnrynote过敏史保密',
  wrongPhone: '199876512',
  secondName: '亓官璟雯',
  secondPhone: '19987654321',
  correctedUserId: 'CnryCorrected7Q',
  greeting: '亲爱的单于嫣然',
  giftGreeting: '愿君如澹台明灭',
  thanks: '谢过太叔望舒',
  word: '请去掉公冶灏的份',
  fileName: 'cnry名单-夹谷琰',
  statementName: 'cnry对账-漆雕骁',
  payerName: '钟离馥公司',
  payerAccount: '6217009876543210987',
  memo: 'cnrymemo宰父嘉',
  openid: 'oCnryOpenid7QxYz',
  buyerGreeting: '赠予拓跋清和',
  buyerGiftGreeting: '愿呼延若水安康',
  buyerThanks: '多谢万俟长风',
  invoiceTitle: '申屠听雪',
  invoiceEmail: 'cnryshentu@example.com',
  operatorName: '闾丘潇潇',
  clerkName: '东郭听澜',
  operatorKey: randomBytes(32).toString('base64url'),
  corpSecret: `cnry${randomBytes(20).toString('hex')}`,
  callbackToken: `cnry${randomBytes(10).toString('hex')}`,
  callbackKey: randomBytes(64)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 43),
} as const

/** A place where a canary may have been left: what it is called, and its bytes. */
export interface Place {
  readonly place: string
  readonly bytes: Buffer
}

/** Which canaries stand in which places, in any of the forms in which a text is still readable. */
export function sightings(values: Readonly<Record<string, string>>, places: readonly Place[]): string[] {
  const found: string[] = []
  for (const [name, value] of Object.entries(values)) {
    const forms = formsOf(value)
    for (const { place, bytes } of places)
      if (forms.some((form) => bytes.includes(form))) found.push(`${name} in ${place}`)
  }
  return found
}

function formsOf(value: string): Buffer[] {
  const utf8 = Buffer.from(value, 'utf8')
  const escaped = value.replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const hex = utf8.toString('hex')
  const texts = [value, value.toLowerCase(), encodeURIComponent(value), escaped, hex, hex.toUpperCase()]
  // A run of base64 depends on where in the text the value begins: the part that does not, for each of three beginnings.
  const runs = [0, 1, 2].map((shift) => {
    const run = Buffer.concat([Buffer.alloc(shift), utf8]).toString('base64')
    return run.slice(shift === 0 ? 0 : 4, run.length - 4)
  })
  const codes = runs.flatMap((run) => [run, run.replaceAll('+', '-').replaceAll('/', '_')])
  return [...new Set([...texts, ...codes])].filter((text) => text.length >= 4).map((text) => Buffer.from(text, 'utf8'))
}

/** What passed over HTTP at one server of this process: the addresses asked for and pointed to, and cookies given. */
export interface Wire {
  readonly urls: string[]
  readonly cookies: string[]
  stop(): void
}

/** Listens at the doors of the server with this origin. */
export function watchWire(origin: string): Wire {
  const host = new URL(origin).host
  const wire = { urls: [] as string[], cookies: [] as string[] }
  const finish = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    if (request.headers.host !== host) return
    wire.urls.push(request.url ?? '')
    const location = response.getHeader('location')
    if (location !== undefined) wire.urls.push(String(location))
    for (const line of [response.getHeader('set-cookie') ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(String(line)) ?? []
      if (name.startsWith('fulika_') && value !== '') wire.cookies.push(decodeURIComponent(value))
    }
  }
  subscribe('http.server.response.finish', finish)
  return { ...wire, stop: () => void unsubscribe('http.server.response.finish', finish) }
}
