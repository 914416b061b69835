import JsBarcode from 'jsbarcode'
import QRCode from 'qrcode'
import { expect, test } from 'vitest'
import { readPixels } from './read-frame.ts'

const code = '2811234567890123456789' + '176389000000012345' + '123456789012'

/** A picture of a QR code as a camera sees one: grey around it, and as large as said. */
function pictureOf(text: string, modulePx: number): { data: Uint8ClampedArray; width: number; height: number } {
  const { modules } = QRCode.create(text, { errorCorrectionLevel: 'M' })
  const quiet = 8
  const side = (modules.size + 2 * quiet) * modulePx
  const data = new Uint8ClampedArray(side * side * 4)
  for (let y = 0; y < side; y += 1)
    for (let x = 0; x < side; x += 1) {
      const [column, row] = [Math.floor(x / modulePx) - quiet, Math.floor(y / modulePx) - quiet]
      const inside = column >= 0 && row >= 0 && column < modules.size && row < modules.size
      const dark = inside && modules.get(row, column) === 1
      data.set([dark ? 30 : 220, dark ? 35 : 215, dark ? 40 : 210, 255], (y * side + x) * 4)
    }
  return { data, width: side, height: side }
}

test('a payment code is read from a picture, near and far', () => {
  expect(code).toHaveLength(52)
  for (const modulePx of [3, 5, 9]) expect(readPixels(pictureOf(code, modulePx), 'square')).toEqual([code])
})

/** A picture of the barcode that the card pack shows, `barPx` to a module; not every edge falls on a point of the picture. */
function barsOf(text: string, barPx: number): { data: Uint8ClampedArray; width: number; height: number } {
  const drawn: { encodings?: readonly { readonly data: string }[] } = {}
  JsBarcode(drawn, text, { format: 'CODE128C' })
  const modules = `${'0'.repeat(12)}${(drawn.encodings ?? []).map((one) => one.data).join('')}${'0'.repeat(12)}`
  const [width, height] = [Math.ceil(modules.length * barPx), 120]
  const data = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let x = 0; x < width; x += 1) {
    // A point shows as dark as the part of it that is covered by bars.
    const parts = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => modules[Math.floor((x + part) / barPx)] === '1')
    const light = 225 - 40 * parts.filter(Boolean).length
    for (let y = 0; y < height; y += 1) data.fill(light, (y * width + x) * 4, (y * width + x) * 4 + 3)
  }
  return { data, width, height }
}

test('the barcode of the card pack is read where a phone fills its picture with it', () => {
  for (const barPx of [2, 2.5, 3, 3.7])
    expect([barPx, readPixels(barsOf(code, barPx), 'bars')]).toEqual([barPx, [code]])
})

test('a picture without a code gives nothing', () => {
  const grey = { data: new Uint8ClampedArray(200 * 200 * 4).fill(128), width: 200, height: 200 }
  for (const kind of ['square', 'bars'] as const) expect(readPixels(grey, kind)).toEqual([])
  expect(readPixels(pictureOf('https://example.com/', 4), 'square')).toEqual(['https://example.com/'])
})
