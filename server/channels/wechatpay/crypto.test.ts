import { createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { authorization, openResource, requestText, signText, verifyText } from './crypto.ts'

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

test('the documented request signature comes out, and verifies', () => {
  const text = requestText(request.method, request.path, request.seconds, request.nonce, request.body)
  expect(signText(text, documentedKey)).toBe(documentedSignature)
  const publicPem = createPublicKey(documentedKey).export({ type: 'spki', format: 'pem' }).toString()
  expect(verifyText(text, documentedSignature, publicPem)).toBe(true)
  expect(verifyText(text + ' ', documentedSignature, publicPem)).toBe(false)
  expect(verifyText(text, 'WECHATPAY/SIGNTEST/' + documentedSignature, publicPem)).toBe(false)
  expect(verifyText(text, documentedSignature, 'no key')).toBe(false)
})

test('the header names the merchant and the serial of its certificate', () => {
  const certSerial = '408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB'
  const merchant = { mchid: '1900007291', appid: 'wx1', certSerial, privateKeyPem: documentedKey, apiV3Key: '' }
  expect(authorization(merchant, request)).toBe(
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
