import { createHmac, randomBytes } from 'node:crypto'
import type { House } from '../kernel/house.ts'
import { Secret } from '../kernel/log.ts'
import { sealWith } from '../kernel/seal.ts'

/** A house with keys of its own, for tests. */
export function testHouse(more: Partial<House> = {}): House {
  const key = randomBytes(32)
  const ring = { current: 'k1', keys: { k1: randomBytes(32) }, indexKeyId: 'i1', indexKeys: { i1: randomBytes(32) } }
  return {
    publicUrl: 'http://127.0.0.1:8080',
    seal: sealWith(ring, randomBytes),
    sessionKey: new Secret(randomBytes(32).toString('base64url')),
    numberKey: (brandId, epoch) => createHmac('sha256', key).update(`${brandId}:${epoch}`).digest(),
    custody: { name: 'main', holder: '福利卡平台', number: '110000000000000001', bank: '沙箱银行' },
    wecomSuites: [],
    wecomProviderCorpId: null,
    wechatPay: { platform: null, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 25 },
    wechat: null,
    passesUntilMs: null,
    sandbox: true,
    quietMinutes: false,
    ...more,
  }
}
