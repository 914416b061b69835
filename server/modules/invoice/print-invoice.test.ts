import { inflateSync } from 'node:zlib'
import { PDFDocument } from 'pdf-lib'
import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId } from '../../../contract/ids.ts'
import { printInvoice } from './print-invoice.ts'
import { readWoff } from './read-woff.ts'

const facts = (lines: number) => ({
  id: encodeId('invoice', 1n),
  orderId: encodeId('order', 1n),
  campaignTitle: '中秋',
  state: 'issued' as const,
  fen: fen(lines * 100),
  title: '青禾制造',
  taxNumber: '9144030071526726XG',
  email: null,
  providerNumber: '26442000000000000001',
  issuedOn: '2026-11-22',
  text: '',
  reissueOf: null,
  requestedAtMs: 0,
  mayCancel: false,
  mayReverse: true,
  lines: Array.from({ length: lines }, (_, index) => ({ department: `部门 ${index}`, fen: fen(100) })),
  redNumber: null,
  redOn: null,
})

/** Everything that is written in a PDF, its packed parts unpacked. */
function plainOf(bytes: Buffer): string {
  const texts: string[] = []
  for (let at = 0; (at = bytes.indexOf('stream\n', at)) >= 0; at += 7) {
    const end = bytes.indexOf('endstream', at)
    try {
      texts.push(inflateSync(bytes.subarray(at + 7, end)).toString('latin1'))
    } catch {
      texts.push(bytes.subarray(at + 7, end).toString('latin1'))
    }
  }
  return texts.join('\n').toLowerCase()
}
/** Whether the page's fonts carry a sign: only those that were printed are in it. */
const carries = (bytes: Buffer, sign: string): boolean =>
  new RegExp(`[<\\s]<?${sign.codePointAt(0)!.toString(16)}>`).test(plainOf(bytes))

test('a copy of the sandbox says that it is no tax invoice; another refers to the real one', async () => {
  const [sandbox, real] = [
    await printInvoice(facts(1), true, '2026-11-22'),
    await printInvoice(facts(1), false, '2026-11-22'),
  ]
  // 仅供核对，非税务发票 has 非 and 箱; the other sentence has 机 and 准.
  expect(['非', '箱', '机', '准', '禾'].map((sign) => carries(sandbox, sign))).toEqual([true, true, false, false, true])
  expect(['非', '箱', '机', '准', '禾'].map((sign) => carries(real, sign))).toEqual([false, false, true, true, true])
})

test('many departments go over several pages', async () => {
  const pages = async (lines: number) =>
    (await PDFDocument.load(await printInvoice(facts(lines), true, '2026-11-22'))).getPageCount()
  expect([await pages(1), await pages(20), await pages(60), await pages(300)]).toEqual([1, 2, 3, 10])
})

test('a file that is no WOFF is refused', () => {
  expect(() => readWoff(Buffer.from('wOF2 something else'))).toThrow('not a WOFF file')
})
