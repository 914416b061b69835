import { createHash, createVerify, X509Certificate } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import forge from 'node-forge'
import { expect, test } from 'vitest'
import { fromBufferPromise } from 'yauzl'
import { PassFile } from './pass-file.ts'
import { aPassFile } from '../../testing/passes.ts'
import type { WalletCard } from '../ports.ts'
import { passAdapter } from './adapter.ts'

const file = aPassFile()
const card: WalletCard = {
  serialNumber: 'crd_0000000000001',
  organizationName: '青禾优选',
  description: '青禾优选 福利卡',
  logoText: '青禾优选',
  backgroundColor: 'rgb(0, 71, 189)',
  foregroundColor: 'rgb(255, 255, 255)',
  labelColor: 'rgb(255, 255, 255)',
  fields: {
    primary: [{ label: '余额', value: '¥200.00' }],
    secondary: [{ label: '卡号', value: '6226 0000' }],
    auxiliary: [{ label: '使用范围', value: '全国门店' }],
    back: [{ label: '说明', value: '付款请打开卡包' }],
  },
  link: 'https://fuli.example.com/pack/cards/crd_0000000000001',
  linkText: '扫码打开卡包',
  expiresAtMs: Date.UTC(2027, 0, 1),
}

async function unzip(bytes: Buffer): Promise<Record<string, Buffer>> {
  const zip = await fromBufferPromise(bytes, { lazyEntries: true, autoClose: false })
  const found: Record<string, Buffer> = {}
  for await (const entry of zip.eachEntry())
    found[entry.fileName] = await buffer(await zip.openReadStreamPromise(entry))
  return found
}

/** What a phone checks of a detached signature: the digest that was signed is the manifest's, and our certificate signed it. */
function isSignedBy(signature: Buffer, manifest: Buffer, certificatePem: string): boolean {
  const { asn1, pkcs7 } = forge
  const message = pkcs7.messageFromAsn1(asn1.fromDer(signature.toString('binary'))) as unknown as {
    rawCapture: { authenticatedAttributes: forge.asn1.Asn1[]; signature: string; digestAlgorithm: string }
  }
  const { authenticatedAttributes, signature: signed, digestAlgorithm } = message.rawCapture
  const hash = forge.pki.oids[asn1.derToOid(digestAlgorithm)]!
  const attributes = asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, authenticatedAttributes)
  const digests = authenticatedAttributes
    .map((attribute) => attribute.value as [forge.asn1.Asn1, forge.asn1.Asn1])
    .filter(([name]) => asn1.derToOid(name.value as string) === forge.pki.oids['messageDigest'])
    .map(([, values]) => Buffer.from((values.value as forge.asn1.Asn1[])[0]!.value as string, 'binary').toString('hex'))
  const signs = createVerify(hash)
    .update(Buffer.from(asn1.toDer(attributes).getBytes(), 'binary'))
    .verify(new X509Certificate(certificatePem).publicKey, Buffer.from(signed, 'binary'))
  return signs && digests.join() === createHash(hash).update(manifest).digest('hex')
}

test('a pass is a store card whose files are in its manifest, and our certificate signed that', async () => {
  const parts = await unzip(passAdapter(PassFile.parse(file)).write(card))
  const { 'manifest.json': manifest, signature, ...files } = parts
  const hashes = Object.entries(files).map(([name, bytes]) => [name, createHash('sha1').update(bytes).digest('hex')])
  expect(JSON.parse(manifest!.toString())).toEqual(Object.fromEntries(hashes))
  expect(Object.keys(files)).toEqual(expect.arrayContaining(['pass.json', 'icon.png', 'icon@2x.png', 'logo.png']))
  expect(isSignedBy(signature!, manifest!, file.certificatePem)).toBe(true)
  expect(isSignedBy(signature!, Buffer.from(`${manifest!.toString()} `), file.certificatePem)).toBe(false)
  expect(isSignedBy(signature!, manifest!, aPassFile().certificatePem)).toBe(false)
  expect(JSON.parse(files['pass.json']!.toString())).toMatchObject({
    formatVersion: 1,
    passTypeIdentifier: 'pass.example.fulika',
    teamIdentifier: 'TEAM123456',
    serialNumber: card.serialNumber,
    organizationName: '青禾优选',
    expirationDate: '2027-01-01T00:00:00.000Z',
    storeCard: { primaryFields: [{ key: 'primary0', label: '余额', value: '¥200.00' }] },
    barcodes: [{ format: 'PKBarcodeFormatQR', message: card.link, altText: '扫码打开卡包' }],
  })
})

test('a card without an end has none on its pass', async () => {
  const parts = await unzip(passAdapter(PassFile.parse(file)).write({ ...card, expiresAtMs: null }))
  expect(JSON.parse(parts['pass.json']!.toString())).not.toHaveProperty('expirationDate')
})

test('a file whose parts do not belong together is refused by the part that does not fit', () => {
  const other = aPassFile()
  const path = (wrong: object) =>
    PassFile.safeParse({ ...file, ...wrong }).error?.issues.map((issue) => issue.path.join())
  expect(PassFile.safeParse(file).success).toBe(true)
  expect(path({ privateKeyPem: other.privateKeyPem })).toEqual(['privateKeyPem'])
  expect(path({ wwdrPem: other.wwdrPem })).toEqual(['wwdrPem'])
  // The intermediate's own has no pass type.
  expect(path({ certificatePem: file.wwdrPem })).toEqual(['certificatePem'])
  expect(path({ certificatePem: file.certificatePem.slice(0, 200) })).toEqual(['certificatePem'])
  expect(path({ passphrase: 'not this one', privateKeyPem: 'PRIVATE KEY-----' })).toEqual(['privateKeyPem'])
})
