import { createSign, type KeyObject } from 'node:crypto'

/** What stands in a certificate. */
export interface CertificateFacts {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  readonly serial: Buffer
  readonly startMs: number
  readonly endMs: number
}

/** One element of DER: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts)
const SHA256_WITH_RSA = sequence(der(6, Buffer.from('2a864886f70d01010b', 'hex')), der(5))
const COMMON_NAME = der(6, Buffer.from('550403', 'hex'))
const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))))
const timeOf = (ms: number): Buffer =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`))

/** A certificate in PEM, signed with its own key: Node reads certificates and does not make them. */
export function makeCertificate(facts: CertificateFacts): string {
  const name = nameOf('Tenpay.com sandbox')
  const body = sequence(
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, facts.serial),
    SHA256_WITH_RSA,
    name,
    sequence(timeOf(facts.startMs), timeOf(facts.endMs)),
    name,
    facts.publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = createSign('RSA-SHA256').update(body).sign(facts.privateKey)
  const whole = sequence(body, SHA256_WITH_RSA, der(3, Buffer.from([0]), signature))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
