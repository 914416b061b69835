import { expect, test } from 'vitest'
import type { OutsideError } from '../../kernel/outside.ts'
import { refusal, type Area } from './answer.ts'

const judge = (status: number, code: string | null, area: Area = 'general', message = ''): string => {
  const raw = Buffer.from(code === null ? '' : JSON.stringify({ code, message }))
  const error = refusal(status, raw, null, area)
  return `${error.outcome} ${error.code}`
}
const all: readonly Area[] = ['general', 'refund', 'share', 'return']

test('each code has its outcome, whatever was asked', () => {
  const table: [number, string, string][] = [
    [400, 'PARAM_ERROR', 'refused PARAM_ERROR'],
    [400, 'INVALID_REQUEST', 'refused INVALID_REQUEST'],
    [400, 'APPID_MCHID_NOT_MATCH', 'broken APPID_MCHID_NOT_MATCH'],
    [400, 'MCH_NOT_EXISTS', 'broken MCH_NOT_EXISTS'],
    [404, 'MCH_NOT_EXISTS', 'broken MCH_NOT_EXISTS'],
    [400, 'ORDER_CLOSED', 'refused ORDER_CLOSED'],
    [400, 'NO_STATEMENT_EXIST', 'refused NO_STATEMENT_EXIST'],
    [400, 'STATEMENT_CREATING', 'refused STATEMENT_CREATING'],
    [401, 'SIGN_ERROR', 'broken SIGN_ERROR'],
    [401, 'SOMETHING_NEW', 'broken SOMETHING_NEW'],
    [403, 'OUT_TRADE_NO_USED', 'refused OUT_TRADE_NO_USED'],
    [403, 'TRADE_ERROR', 'refused TRADE_ERROR'],
    [403, 'ACCOUNT_ERROR', 'refused ACCOUNT_ERROR'],
    [403, 'NOT_ENOUGH', 'refused NOT_ENOUGH'],
    [403, 'USER_ACCOUNT_ABNORMAL', 'refused USER_ACCOUNT_ABNORMAL'],
    [404, 'ORDER_NOT_EXIST', 'refused ORDER_NOT_EXIST'],
    [404, 'RESOURCE_NOT_EXISTS', 'refused RESOURCE_NOT_EXISTS'],
    [500, 'SYSTEM_ERROR', 'unknown SYSTEM_ERROR'],
    [500, 'SYSTEMERROR', 'unknown SYSTEM_ERROR'],
    [500, 'BANK_ERROR', 'unknown BANK_ERROR'],
    [500, 'OPENID_MISMATCH', 'refused OPENID_MISMATCH'],
    [500, 'INVALID_TRANSACTIONID', 'refused INVALID_TRANSACTIONID'],
    [502, 'SERVICE_UNAVAILABLE', 'unknown SERVICE_UNAVAILABLE'],
    [503, 'SERVICE_UNAVAILABLE', 'busy SERVICE_UNAVAILABLE'],
    [502, 'SYSTEM_ERROR', 'unknown SYSTEM_ERROR'],
    [302, 'ELSEWHERE', 'unknown ELSEWHERE'],
    [408, 'SLOW', 'unknown SLOW'],
  ]
  for (const area of all)
    for (const [status, code, expected] of table) expect([area, judge(status, code, area)]).toEqual([area, expected])
})

test('spellings that differ are one code', () => {
  for (const code of ['NO_AUTH', 'NOAUTH']) expect(judge(403, code)).toBe('broken NO_AUTH')
  for (const code of ['RULE_LIMIT', 'RULELIMIT']) expect(judge(403, code)).toBe('refused RULE_LIMIT')
  const limits = [
    'FREQUENCY_LIMITED',
    'RATELIMIT_EXCEED',
    'RATELIMIT_EXCEEDED',
    'RATE_LIMITED',
    'FREQUENCY_LIMIT_EXCEED',
  ]
  for (const code of limits) {
    expect(judge(429, code)).toBe('busy FREQUENCY_LIMITED')
    expect(judge(429, code, 'share')).toBe('busy FREQUENCY_LIMITED')
    expect(judge(429, code, 'return')).toBe('busy FREQUENCY_LIMITED')
  }
})

test('a refund that was too much may have been accepted all the same', () => {
  expect(judge(429, 'FREQUENCY_LIMITED', 'refund')).toBe('unknown FREQUENCY_LIMITED')
  expect(judge(429, null, 'refund')).toBe('unknown FREQUENCY_LIMITED')
})

test('an answer without a code came from somebody in between: below 500 nothing was done', () => {
  const table: [number, string][] = [
    [400, 'broken HTTP_400'],
    [404, 'broken HTTP_404'],
    [405, 'broken HTTP_405'],
    [408, 'unknown HTTP_408'],
    [301, 'unknown HTTP_301'],
    [500, 'unknown HTTP_500'],
    [502, 'unknown HTTP_502'],
    [503, 'unknown HTTP_503'],
  ]
  for (const [status, expected] of table) expect(judge(status, null)).toBe(expected)
  for (const body of ['<html>', '{"code":', '{"code":7}', '[]', 'null'])
    expect(refusal(502, Buffer.from(body), null)).toMatchObject({ outcome: 'unknown', code: 'HTTP_502' })
})

test('one code of profit sharing says many things; what no line knows stays for a person', () => {
  const table: [Area, string, string, string][] = [
    ['share', 'INVALID_REQUEST', '订单处理中，请稍后重试', 'SHARING_TOO_EARLY'],
    ['share', 'INVALID_REQUEST', '订单处理中,暂时无法分账,请稍后再试', 'SHARING_TOO_EARLY'],
    ['share', 'INVALID_REQUEST', '分账接收方与原请求不一致', 'SHARING_DIFFERS'],
    ['share', 'PARAM_ERROR', '微信支付订单号与原请求不一致', 'SHARING_DIFFERS'],
    ['share', 'INVALID_REQUEST', '分账金额超出最大分账比例', 'SHARING_OVER_RATIO'],
    ['share', 'INVALID_REQUEST', '超出分账最大比例', 'SHARING_OVER_RATIO'],
    ['share', 'RULE_LIMIT', '', 'SHARING_OVER_RATIO'],
    ['share', 'RULELIMIT', '', 'SHARING_OVER_RATIO'],
    ['share', 'PARAM_ERROR', '分账接收方关系不存在，请检查参数中每个接收方的关系。', 'SHARING_NO_RELATION'],
    ['share', 'INVALID_REQUEST', '订单分账已完结', 'SHARING_ENDED'],
    ['share', 'INVALID_REQUEST', '分账次数超过上限', 'SHARING_ENDED'],
    ['share', 'INVALID_REQUEST', '商户分账单号已用于其他订单', 'SHARING_DIFFERS'],
    ['share', 'INVALID_REQUEST', '非分账订单不支持分账', 'INVALID_REQUEST'],
    ['share', 'PARAM_ERROR', '参数错误', 'PARAM_ERROR'],
    ['return', 'INVALID_REQUEST', '分账单处理中，请稍后重试', 'RETURN_NOT_READY'],
    ['return', 'INVALID_REQUEST', '回退金额与原请求不一致', 'SHARING_DIFFERS'],
    ['return', 'INVALID_REQUEST', '回退方不存在', 'INVALID_REQUEST'],
    ['general', 'INVALID_REQUEST', '订单处理中，请稍后重试', 'INVALID_REQUEST'],
    ['refund', 'RULE_LIMIT', '', 'RULE_LIMIT'],
    ['refund', 'INVALID_REQUEST', '退款金额与原请求不一致', 'INVALID_REQUEST'],
  ]
  for (const [area, code, message, expected] of table)
    expect([message, judge(code.startsWith('RULE') ? 403 : 400, code, area, message)]).toEqual([
      message,
      `refused ${expected}`,
    ])
})

test('who has not switched returns on is one receiver; sharing that is not switched on is us', () => {
  expect(judge(403, 'NO_AUTH', 'return')).toBe('refused NO_AUTH')
  expect(judge(403, 'NOAUTH', 'return')).toBe('refused NO_AUTH')
  expect(judge(403, 'NO_AUTH', 'share')).toBe('broken NO_AUTH')
  expect(judge(401, 'SIGN_ERROR', 'return')).toBe('broken SIGN_ERROR')
})

test('the message names the field, never the value; waiting is told within reason', () => {
  const detail = { field: '/amount/total', value: ['secret-value'], location: null }
  const raw = Buffer.from(JSON.stringify({ code: 'PARAM_ERROR', message: '参数错误', detail }))
  const error: OutsideError = refusal(400, raw, null)
  expect(error.message).toBe('WeChat Pay answered 400 PARAM_ERROR /amount/total 参数错误')
  for (const odd of [null, 'text', 7, { field: 7 }]) {
    const body = Buffer.from(JSON.stringify({ code: 'PARAM_ERROR', detail: odd }))
    expect(refusal(400, body, null)).toMatchObject({ outcome: 'refused', code: 'PARAM_ERROR' })
  }
  const busy = (retryAfter: string | null) => refusal(429, Buffer.from(''), retryAfter).retryAfterMs
  expect([busy('3'), busy(null), busy('soon'), busy('-1'), busy('9999999')]).toEqual([
    3000, 1000, 1000, 1000, 3_600_000,
  ])
})
