import { createPrivateKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { Secret } from '../../kernel/log.ts'

/** What signs passes for Apple's Wallet: a pass type certificate of ours with its key, and the one that Apple signed it with. */
export interface PassConfig {
  readonly certificatePem: string
  readonly privateKey: { readonly pem: Secret<string>; readonly passphrase: Secret<string> | null }
  readonly wwdrPem: string
  /** Both stand in the certificate, and a pass must say the same. */
  readonly passTypeIdentifier: string
  readonly teamIdentifier: string
  /** When the certificate ends, ms. */
  readonly untilMs: number
}

/** The file of FULIKA_PASS_FILE. Throws a ZodError that names what does not fit and shows no value. */
export const PassFile = z
  .strictObject({
    certificatePem: z.string().includes('-----BEGIN CERTIFICATE-----'),
    privateKeyPem: z.string().includes('PRIVATE KEY-----'),
    passphrase: z.string().max(200).nullable().default(null),
    /** Apple's intermediate certificate (WWDR), in PEM. */
    wwdrPem: z.string().includes('-----BEGIN CERTIFICATE-----'),
  })
  .transform((file, context): PassConfig => {
    const wrong = (path: string): never => {
      context.issues.push({ code: 'custom', message: 'does not fit', path: [path], input: undefined })
      return z.NEVER
    }
    const certificate = readable(() => new X509Certificate(file.certificatePem))
    if (certificate === null) return wrong('certificatePem')
    // The subject that Apple gives a pass type certificate: UID is the pass type, OU the team.
    const names = new Map(certificate.subject.split('\n').map((line) => splitOnce(line)))
    const [passTypeIdentifier, teamIdentifier] = [names.get('UID'), names.get('OU')]
    if (passTypeIdentifier === undefined || teamIdentifier === undefined) return wrong('certificatePem')
    const key = readable(() =>
      createPrivateKey({
        key: file.privateKeyPem,
        ...(file.passphrase === null ? {} : { passphrase: file.passphrase }),
      }),
    )
    if (key === null || !certificate.checkPrivateKey(key)) return wrong('privateKeyPem')
    const wwdr = readable(() => new X509Certificate(file.wwdrPem))
    if (wwdr === null || !certificate.verify(wwdr.publicKey)) return wrong('wwdrPem')
    return {
      certificatePem: file.certificatePem,
      privateKey: {
        pem: new Secret(file.privateKeyPem),
        passphrase: file.passphrase === null ? null : new Secret(file.passphrase),
      },
      wwdrPem: file.wwdrPem,
      passTypeIdentifier,
      teamIdentifier,
      untilMs: certificate.validToDate.getTime(),
    }
  })

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

function readable<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
