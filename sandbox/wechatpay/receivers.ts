import { constants, privateDecrypt } from 'node:crypto'
import { z } from 'zod'
import { rulesOf } from './accounts.ts'
import { readBody } from './body.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import type { Receiver } from './money-state.ts'
import { signerKey } from './platform-keys.ts'
import type { Merchant, World } from './state.ts'

/** At most so many receivers that are not deleted, per merchant (protocol sheet 5.1). */
export const MOST_RECEIVERS = 20_000

const type = z.enum(['MERCHANT_ID', 'PERSONAL_OPENID'])
const text = (max: number): z.ZodString => z.string().min(1).max(max)
const addBody = z.strictObject({
  appid: text(32),
  type,
  account: text(64),
  name: text(1024).optional(),
  relation_type: z.enum([
    'SERVICE_PROVIDER',
    'STORE',
    'STAFF',
    'STORE_OWNER',
    'PARTNER',
    'HEADQUARTER',
    'BRAND',
    'DISTRIBUTOR',
    'USER',
    'SUPPLIER',
    'CUSTOM',
  ]),
  custom_relation: text(10).optional(),
})
type AddBody = z.infer<typeof addBody>
const deleteBody = z.strictObject({ appid: text(32), type, account: text(64) })

/** The key under which a receiver is kept. */
export const receiverKey = (mchid: string, kind: string, account: string): string => `${mchid} ${kind} ${account}`

/** POST /v3/profitsharing/receivers/add: adding again succeeds and changes nothing. `serial` names the key of `name`. */
export function addReceiver(world: World, merchant: Merchant, raw: Buffer, serial: string): Answer {
  const read = readBody(addBody, raw)
  if ('refusal' in read) return read.refusal
  const body = read.value
  if (!rulesOf(world, merchant.mchid).mayShare) return reject(403, 'NO_AUTH', '商户未开通分账权限')
  const refusal = wrongReceiver(world, merchant, body, serial)
  if (refusal) return refusal
  const { receivers, receiverCount } = world.money
  const key = receiverKey(merchant.mchid, body.type, body.account)
  const known = receivers.get(key)
  if (known && !known.deleted) return { status: 200, body: known.answer }
  const count = receiverCount.get(merchant.mchid) ?? 0
  if (count >= MOST_RECEIVERS) return reject(403, 'RULE_LIMIT', '分账接收方数量超过上限')
  const receiver: Receiver = {
    mchid: merchant.mchid,
    type: body.type,
    account: body.account,
    answer: { ...body },
    deleted: false,
  }
  receivers.set(key, receiver)
  receiverCount.set(merchant.mchid, count + 1)
  return { status: 200, body: receiver.answer }
}

function wrongReceiver(world: World, merchant: Merchant, body: AddBody, serial: string): Answer | null {
  if (!merchant.appids.includes(body.appid)) return reject(400, 'INVALID_REQUEST', 'appid与商户号不匹配')
  if ((body.relation_type === 'CUSTOM') !== (body.custom_relation !== undefined)) {
    const detail = { location: 'body', field: '/custom_relation' }
    return reject(400, 'PARAM_ERROR', '自定义关系仅在关系类型为CUSTOM时填写', detail)
  }
  if (body.type === 'MERCHANT_ID' && !/^\d{6,32}$/.test(body.account)) {
    return reject(400, 'PARAM_ERROR', '接收方商户号格式错误', { location: 'body', field: '/account' })
  }
  const rules = rulesOf(world, merchant.mchid)
  if (body.name === undefined) {
    if (!rules.nameRequired || body.type !== 'MERCHANT_ID') return null
    return reject(400, 'PARAM_ERROR', '商户名称必填', { location: 'body', field: '/name' })
  }
  const name = openField(world, merchant, body.name, serial)
  if (name === null) return undecipherable
  const registered = rulesOf(world, body.account).registeredName
  if (body.type === 'MERCHANT_ID' && registered !== null && registered !== name) {
    return reject(400, 'INVALID_REQUEST', '分账接收方全称不匹配')
  }
  return null
}

/** What is answered when a sensitive field was not encrypted with the key that the request names. */
export const undecipherable: Answer = reject(400, 'PARAM_ERROR', '敏感信息解密失败，请检查Wechatpay-Serial和加密的公钥')

/** Decrypts a sensitive field (protocol sheet 1.6), or null. */
export function openField(world: World, merchant: Merchant, sealed: string, serial: string): string | null {
  const pair = serial === '' ? null : signerKey(world, merchant, serial)
  if (pair === null) return null
  try {
    const key = { key: pair.privatePem, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }
    return privateDecrypt(key, Buffer.from(sealed, 'base64')).toString('utf8')
  } catch {
    return null
  }
}

/** POST /v3/profitsharing/receivers/delete: deleting again succeeds; shares that were given can still be returned. */
export function deleteReceiver(world: World, merchant: Merchant, raw: Buffer): Answer {
  const read = readBody(deleteBody, raw)
  if ('refusal' in read) return read.refusal
  const { appid, type: kind, account } = read.value
  if (!merchant.appids.includes(appid)) return reject(400, 'INVALID_REQUEST', 'appid与商户号不匹配')
  const receiver = world.money.receivers.get(receiverKey(merchant.mchid, kind, account))
  if (receiver && !receiver.deleted) {
    receiver.deleted = true
    const { receiverCount } = world.money
    receiverCount.set(merchant.mchid, (receiverCount.get(merchant.mchid) ?? 1) - 1)
  }
  return { status: 200, body: { type: kind, account } }
}
