// Each from its own file: the library's front door brings every kind of code there is, six times as much.
import BinaryBitmap from '@zxing/library/esm/core/BinaryBitmap.js'
import RGBLuminanceSource from '@zxing/library/esm/core/RGBLuminanceSource.js'
import HybridBinarizer from '@zxing/library/esm/core/common/HybridBinarizer.js'
import Code128Reader from '@zxing/library/esm/core/oned/Code128Reader.js'
import QRCodeReader from '@zxing/library/esm/core/qrcode/QRCodeReader.js'

const [square, bars] = [new QRCodeReader(), new Code128Reader()]
/** A barcode is long: it is looked for over the whole width, in the lines in the middle, where people hold it. */
const BARS_PX = 120

/** A QR code of 52 digits has 33 modules: more points only take longer. */
const SQUARE_PX = 720

/** Reads a QR code or a Code 128 in a picture, for browsers that cannot by themselves. A chunk of its own. */
export function readFrame(frame: HTMLCanvasElement): string[] {
  const { width, height } = frame
  const [side, lines] = [Math.min(width, height), Math.min(BARS_PX, height)]
  const middle = { x: (width - side) >> 1, y: (height - side) >> 1, width: side, height: side }
  const strip = { x: 0, y: (height - lines) >> 1, width, height: lines }
  return [
    ...readPixels(cut(frame, middle, Math.min(1, SQUARE_PX / side)), 'square'),
    ...readPixels(cut(frame, strip, 1), 'bars'),
  ]
}

interface Part {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function cut(frame: HTMLCanvasElement, part: Part, scale: number): ImageData {
  const piece = document.createElement('canvas')
  piece.width = Math.round(part.width * scale)
  piece.height = Math.round(part.height * scale)
  const context = piece.getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('this browser draws no pictures')
  context.drawImage(frame, part.x, part.y, part.width, part.height, 0, 0, piece.width, piece.height)
  return context.getImageData(0, 0, piece.width, piece.height)
}

/** The same of bare pixels, four bytes each: a code in a square, or one in bars. */
export function readPixels(picture: Pick<ImageData, 'data' | 'width' | 'height'>, kind: 'square' | 'bars'): string[] {
  const { data, width, height } = picture
  const grey = new Uint8ClampedArray(width * height)
  for (let at = 0; at < grey.length; at += 1)
    grey[at] = (data[4 * at]! * 77 + data[4 * at + 1]! * 150 + data[4 * at + 2]! * 29) >> 8
  const reader = kind === 'square' ? square : bars
  try {
    return [reader.decode(new BinaryBitmap(new HybridBinarizer(new RGBLuminanceSource(grey, width, height)))).getText()]
  } catch {
    // What is no code is told by an exception of the library; there is nothing else that it throws.
    reader.reset()
    return []
  }
}
