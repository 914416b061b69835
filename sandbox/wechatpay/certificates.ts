import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import { currentCertificate, issueCertificate } from './platform-keys.ts'
import { sealText } from './seal.ts'
import { chinaTime } from './state.ts'
import type { Merchant, World } from './state.ts'

/** GET /v3/certificates: for merchants that still verify by certificates, encrypted for each (protocol sheet 1.4). */
export function listCertificates(world: World, merchant: Merchant, algorithm: string): Answer {
  if (merchant.verifyBy === 'public_key')
    return reject(404, 'RESOURCE_NOT_EXISTS', '无可用的平台证书，请使用微信支付公钥')
  if (!['', 'RSA', 'SM2', 'ALL'].includes(algorithm)) return reject(400, 'PARAM_ERROR', '参数错误')
  currentCertificate(world)
  const shown = algorithm === 'SM2' ? [] : world.certificates
  const data = shown.map((one) => ({
    serial_no: one.id,
    effective_time: chinaTime(one.startMs),
    expire_time: chinaTime(one.endMs),
    encrypt_certificate: sealText(merchant.apiV3Key, one.pem, 'certificate', world.random),
  }))
  return { status: 200, body: { data } }
}

/** A new certificate stands beside the old one: both sign until the old one is retired. */
export function rotateCertificates(world: World): void {
  currentCertificate(world)
  world.certificates = [...world.certificates, issueCertificate(world)]
}

/** Only the newest certificate stays. */
export function retireCertificates(world: World): void {
  world.certificates = [currentCertificate(world)]
}
