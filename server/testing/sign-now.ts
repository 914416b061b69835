import { sign, type KeyObject } from 'node:crypto'

/** Signs as WeChat Pay does, RSA PKCS#1 v1.5 and SHA-256 as base64, for a test that plays its part. */
export const signNow = (text: string, privateKey: KeyObject | string): string =>
  sign('RSA-SHA256', Buffer.from(text, 'utf8'), privateKey).toString('base64')
