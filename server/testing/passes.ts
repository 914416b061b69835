import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

const YEAR_MS = 365 * 86_400_000

/** What FULIKA_PASS_FILE holds, made here: an intermediate certificate of nobody, and a pass type's that it signed. */
export function aPassFile(): { certificatePem: string; privateKeyPem: string; wwdrPem: string } {
  const [issuer, own] = [aKeyPair(), aKeyPair()]
  const issuerName = [{ name: 'commonName', value: 'Test intermediate' }]
  const ownName = [
    { type: '0.9.2342.19200300.100.1.1', value: 'pass.example.fulika' },
    { name: 'commonName', value: 'Pass Type ID: pass.example.fulika' },
    { name: 'organizationalUnitName', value: 'TEAM123456' },
  ]
  const wwdr = certify(issuer.public, issuerName, issuer.private, issuerName)
  const certificate = certify(own.public, ownName, issuer.private, issuerName)
  return { certificatePem: certificate, privateKeyPem: own.privatePem, wwdrPem: wwdr }
}

function aKeyPair() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  return {
    public: forge.pki.publicKeyFromPem(publicKey),
    private: forge.pki.privateKeyFromPem(privateKey),
    privatePem: privateKey,
  }
}

function certify(
  key: forge.pki.rsa.PublicKey,
  subject: forge.pki.CertificateField[],
  issuerKey: forge.pki.rsa.PrivateKey,
  issuer: forge.pki.CertificateField[],
): string {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = key
  certificate.serialNumber = '01'
  certificate.validity.notBefore = new Date(Date.now() - YEAR_MS)
  certificate.validity.notAfter = new Date(Date.now() + YEAR_MS)
  certificate.setSubject(subject)
  certificate.setIssuer(issuer)
  certificate.sign(issuerKey, forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate)
}
