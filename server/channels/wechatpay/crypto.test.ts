import { createCipheriv, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  answerText,
  authorization,
  fitsObject,
  openField,
  openResource,
  readPrivateKey,
  readPublicKey,
  requestText,
  sealField,
  secretKey,
  signText,
  verifyText,
} from './crypto.ts'
import { signNow } from '../../testing/sign-now.ts'

/** The test key that WeChat Pay documents for merchant 1900007291; not a secret. */
const documentedKey = `-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCm2mb6q8gMKH/3
CNTbpJAIrbqiBiQGEOtjGcBrDYltsGynWgNscqT7WvfzU14FQbYcQUC5T4Wvva7m
i3fIp3OgX8VqMDNA0qebnr38Pe6kqiLyZgFpJPXlSKDyPyqhRbVTbXssvSMQeVKc
dXeVxoNNeoOlNFHgF/P0io6AmAVnz+hN8SiZKuOsth5/zUTLGvtkgxBcQooQrtXh
RcpLT798OyIb9xeJ2HO3xRtMv2+perEzb4gMibI74UBz+2QEbnkubPE+2jU2rRZu
dnNEz/BPOt3Qj/w2V6/G0VumGDh6+UeMU0jv4aupHztWITC4Akn0l7lBCNy3lgl8
VFaJnkIxAgMBAAECggEAYGL8aESB7NwciDWW2UdoWUsa7GxFtSdjAz2mFXGdeTsY
mVh7b9OOkRGM+Qio4LqEHDBp1mMk5E/cUJwy1zw8pGGO5nfvs7u9TT3XnHaefIs4
YvUgTYAneIuLRkXNN5rQU+CD7mVYczTSz0Vgjqo9wa1LjUz7G0xbBmJgTdMEFGJs
eJjy6AbJo0CGIwp6HJbTm4CmOUgXnnDAIbEGTIRImkZFH/rzneIeR7oZ77FVwxr1
CZB2gfRCov/yRPbw8vnryYkmvQ7D/ze3j5097vRg/MoDGBSdoOwcmo75vyofr0AS
zytMjmHYyifqkf5slPropSiJeGf4p/7gtKyF6dE/XQKBgQDVAlJ+4U5ZVGOuDc3+
sAhz8CTzgFNlq9vKuSoFK6hOz2L+cwj+E7NXGkOe2DsHHZNy2Xqxk7caKhPEp1z9
hhpMpyLVMoFt6CKemyoRBWDCQwLLwem9SZF/IAyovBkLiH36P42Jm26gUkNMKC/5
Zhtqxf6RZgRQzbVudJi47vIRCwKBgQDIh0+v27Oo+DM3fhObH4I1NrXpWOEGH7OQ
G1dEsMuFYF4hjGhg0kBEP3w9vVdl2+mRllZKTsx9oqjb8OibPLLIH8xsdbAB0WLf
JvjLu4wl/ILUzN1RI03dWnnv2EnEeQn6c3hizvrJ9wR5U4ue9RPVnQooJ0hZF1PU
uCL5fWK3MwKBgElReU/PAYbh80WP3t3Rfbdaa32dKBeQ5iCLR5lsA4zM+YgX1HqQ
EWTj126vgvHaDkyz6vWAoL/Sx+cirHFfXWIRDX5Q2hgYlQH+6qXdMgbrxeSYpHnQ
/tHBGFpkFELSAnrGsVMyOwvYBO4LzyeLK9i+ufcWJFoj1FVmsMLHDG8tAoGARdbi
iQQCoYG4DMarO2aQ6cmhN6EN1h0qY7EyBqlwaIZ0okiNfdMcMOjPc41DKCWcRmlO
qlihXcxN9TQFPzO3rH1urAOdBjUPs1qWYhZyrDQyuLyVBBJApyxAtajloDjrob+f
mQIvVDHk7ACN6xG+E7K6+9salnTKbJapD618uQMCgYBNy6XUvzLkP/A1U/UZdtcx
l8GwU/dturLxz4CyGbqDw4ubaYY2e13lnqHUqQgPtiSyH51nq3tdo8G0YAJdfkSv
KvnfslW91fyEBUKnkdW1o3/1UFU/wprZ7ixVL/F42A4xDu7OFE8EnweJOZ0jWceE
OdhCkaIGBCfRnlECRK8UyQ==
-----END PRIVATE KEY-----`
const documentedSignature =
  'Lc9VXxmeonkdV8Xk9tmigQFLhl0vRWTerdmoRu01aAnYwIrD/5nsSwE1WlmZGLRlAFTNQ3QsMa0+VRDlJp1Wp5p0nO8EK68b5sJBbjouxaFciIfq1zfDWWz+jqhcMoKXI1A6dPm1AW7D4d30WsMTNzp6g23OXakIsh9LO3lUmwvTuE0BY8ncf6tNGk4wKmvXwERd/ZpoQY3MAVKz+Nakwc+2XBmzT66KcUehU5kr4IvGa/lEU5RZb/q00zP9VLdBhC/jQSX3X1UcJLCtEc4gTmib4tnmAT+bHF/e17ZAuxDNcx6rqT8gNEXqaJGG+1OflMSTU2tpyG65G4dMKdFcoA=='
const request = {
  method: 'GET',
  path: '/v3/refund/domestic/refunds/123123123123',
  seconds: 1554208460,
  nonce: '593BEC0C930BF1AFEB40B4A08C8FB242',
  body: '',
}

test('the documented request signature comes out, and verifies', async () => {
  const text = requestText(request.method, request.path, request.seconds, request.nonce, request.body)
  expect(await signText(text, createPrivateKey(documentedKey))).toBe(documentedSignature)
  const publicPem = createPublicKey(documentedKey).export({ type: 'spki', format: 'pem' }).toString()
  expect(verifyText(text, documentedSignature, publicPem)).toBe(true)
  expect(verifyText(text + ' ', documentedSignature, publicPem)).toBe(false)
  expect(verifyText(text, 'WECHATPAY/SIGNTEST/' + documentedSignature, publicPem)).toBe(false)
  expect(verifyText(text, documentedSignature, 'no key')).toBe(false)
})

test('the header names the merchant and the serial of its certificate', async () => {
  const certSerial = '408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB'
  const merchant = { mchid: '1900007291', certSerial, privateKey: createPrivateKey(documentedKey) }
  expect(await authorization(merchant, request)).toBe(
    `WECHATPAY2-SHA256-RSA2048 mchid="1900007291",nonce_str="${request.nonce}",timestamp="1554208460",serial_no="${certSerial}",signature="${documentedSignature}"`,
  )
})

test('the documented cipher text opens, and nothing else does', () => {
  const key = 'a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb'
  const sealed = {
    nonce: 'uluk4a9R25RW',
    associated_data: 'associatedData',
    ciphertext: 'ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=',
  }
  expect(openResource(key, sealed)).toBe('message')
  expect(openResource(key, { ...sealed, associated_data: undefined })).toBeNull()
  expect(openResource(key, { ...sealed, ciphertext: 'AAAA' })).toBeNull()
  expect(openResource(key, { ...sealed, nonce: '' })).toBeNull()
  expect(openResource('short', sealed)).toBeNull()
  expect(openResource(key.replace('a', 'b'), sealed)).toBeNull()
})

/** Every text that differs from this one in one byte. */
function* altered(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1) {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 1
    yield copy
  }
}

test('no byte of an answer or of its signature can be changed', () => {
  const raw = Buffer.from('{"amount":{"total":100},"attach":"福利卡"}\n')
  const signature = signNow(answerText('1554208460', 'N1', raw).toString('utf8'), documentedKey)
  const key = createPublicKey(documentedKey)
  expect(verifyText(answerText('1554208460', 'N1', raw), signature, key)).toBe(true)
  for (const other of altered(raw))
    expect(verifyText(answerText('1554208460', 'N1', other), signature, key)).toBe(false)
  for (const other of altered(Buffer.from(signature, 'base64')))
    expect(verifyText(answerText('1554208460', 'N1', raw), other.toString('base64'), key)).toBe(false)
  expect(verifyText(answerText('1554208461', 'N1', raw), signature, key)).toBe(false)
  expect(verifyText(answerText('1554208460', 'N2', raw), signature, key)).toBe(false)
  expect(verifyText(answerText('1554208460', 'N1', Buffer.concat([raw, raw])), signature, key)).toBe(false)
  expect(verifyText(answerText('1554208460', 'N1', raw), '', key)).toBe(false)
  expect(
    verifyText(
      answerText('1554208460', 'N1', raw),
      signature,
      generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
    ),
  ).toBe(false)
})

test('an answer without a body is signed over an empty line', () => {
  expect(answerText('1', 'n', Buffer.alloc(0)).toString('utf8')).toBe('1\nn\n\n')
})

test('no byte of what was sealed can be changed, with or without associated data', () => {
  const key = 'k'.repeat(32)
  for (const associated_data of ['transaction', '', undefined]) {
    const nonce = randomBytes(6).toString('hex')
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), Buffer.from(nonce))
    cipher.setAAD(Buffer.from(associated_data ?? ''))
    const sealed = Buffer.concat([cipher.update('{"福":1}', 'utf8'), cipher.final(), cipher.getAuthTag()])
    const resource = { nonce, associated_data, ciphertext: sealed.toString('base64') }
    expect(openResource(key, resource)).toBe('{"福":1}')
    for (const other of altered(sealed))
      expect(openResource(key, { ...resource, ciphertext: other.toString('base64') })).toBeNull()
    for (const other of altered(Buffer.from(nonce)))
      expect(openResource(key, { ...resource, nonce: other.toString('latin1') })).toBeNull()
    for (const other of altered(Buffer.from(key))) expect(openResource(other.toString('latin1'), resource)).toBeNull()
    expect(openResource(key, { ...resource, associated_data: 'transactions' })).toBeNull()
    expect(openResource(key, { ...resource, ciphertext: sealed.subarray(0, -1).toString('base64') })).toBeNull()
  }
})

test('a sealed field comes back whole, once each time anew, and not changed', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  for (const text of ['', '张三', '6222 0200 0000 0000', 'x'.repeat(214), '福'.repeat(71)]) {
    const sealed = sealField(text, pair.publicKey)
    expect(openField(sealed, pair.privateKey)).toBe(text)
    expect(sealField(text, pair.publicKey)).not.toBe(sealed)
  }
  expect(() => sealField('x'.repeat(215), pair.publicKey)).toThrow(RangeError)
  expect(() => sealField('福'.repeat(72), pair.publicKey)).toThrow(RangeError)
  const sealed = Buffer.from(sealField('张三', pair.publicKey), 'base64')
  for (const other of [sealed.subarray(1), Buffer.alloc(0), ...[...altered(sealed)].slice(0, 256)])
    expect(openField(other.toString('base64'), pair.privateKey)).toBeNull()
  expect(openField(sealed.toString('base64'), createPrivateKey(documentedKey))).toBeNull()
})

test('a key that is none is said to be so, and not shown', () => {
  expect(() => readPrivateKey('1900000001', 'secret-text')).toThrow(/1900000001 cannot be read/)
  expect(readPublicKey('secret-text')).toBeNull()
  expect(readPublicKey(documentedKey.replace(/[A-Z]/, '!'))).toBeNull()
})

test('the first byte tells whose notice it is not, and never that it is not whose it is', () => {
  const key = 'a'.repeat(32)
  let passed = 0
  for (let i = 0; i < 300; i += 1) {
    const nonce = randomBytes(6).toString('hex')
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), Buffer.from(nonce))
    const sealed = Buffer.concat([cipher.update(`{"mchid":"${i}"}`, 'utf8'), cipher.final(), cipher.getAuthTag()])
    const resource = { nonce, ciphertext: sealed.toString('base64') }
    expect(fitsObject(secretKey(key))(resource)).toBe(true)
    if (fitsObject(secretKey(String(i).padStart(32, 'x')))(resource)) passed += 1
  }
  expect(passed).toBeLessThan(20)
  expect(fitsObject(secretKey('short'))({ nonce: 'n'.repeat(12), ciphertext: 'AAAA' })).toBe(false)
  for (const nonce of ['', 'n', 'n'.repeat(16), '福'.repeat(4), '福'.repeat(12)])
    expect(fitsObject(secretKey(key))({ nonce, ciphertext: 'AAAA' })).toBe(nonce !== '福'.repeat(4))
})

test('a signature that is crooked, cut or empty is false, and nothing is thrown', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const text = Buffer.from('1\nn\n{}\n')
  const good = signNow(text.toString(), privateKey)
  expect(verifyText(text, good, publicKey)).toBe(true)
  expect(verifyText(Buffer.from('other'), good, publicKey)).toBe(false)
  const crooked = [good.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')), '', 'not base64 §', good.slice(8)]
  for (const signature of crooked) expect(verifyText(text, signature, publicKey)).toBe(false)
})
