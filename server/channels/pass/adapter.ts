import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PKPass } from 'passkit-generator'
import type { PassConfig } from './pass-file.ts'
import type { PassPort } from '../ports.ts'

/**
 * Passes for Apple's Wallet: a store card in a signed archive (`application/vnd.apple.pkpass`). Nothing goes over the
 * network. Null: no certificate is configured, and every call throws.
 */
export function passAdapter(config: PassConfig | null): PassPort {
  if (config === null)
    return {
      write: () => {
        throw new Error('no certificate for passes is configured')
      },
    }
  const folder = join(import.meta.dirname, 'images')
  const images = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]))
  const passphrase = config.privateKey.passphrase?.reveal()
  const certificates = {
    wwdr: config.wwdrPem,
    signerCert: config.certificatePem,
    signerKey: config.privateKey.pem.reveal(),
    ...(passphrase === undefined ? {} : { signerKeyPassphrase: passphrase }),
  }
  return {
    write: ({ expiresAtMs, link, linkText, fields, ...card }) => {
      const pass = new PKPass({ ...images }, certificates, {
        ...card,
        formatVersion: 1,
        passTypeIdentifier: config.passTypeIdentifier,
        teamIdentifier: config.teamIdentifier,
      })
      pass.type = 'storeCard'
      const keyed = (name: string) =>
        fields[name as keyof typeof fields].map((field, index) => ({ key: `${name}${index}`, ...field }))
      pass.primaryFields.push(...keyed('primary'))
      pass.secondaryFields.push(...keyed('secondary'))
      pass.auxiliaryFields.push(...keyed('auxiliary'))
      pass.backFields.push(...keyed('back'))
      pass.setBarcodes({ message: link, format: 'PKBarcodeFormatQR', messageEncoding: 'utf-8', altText: linkText })
      if (expiresAtMs !== null) pass.setExpirationDate(new Date(expiresAtMs))
      return pass.getAsBuffer()
    },
  }
}
