import QRCode from 'qrcode'
import { posterWords } from './poster-words.ts'

export interface Poster {
  readonly companyName: string
  readonly title: string
  readonly site: string
  readonly claimUrl: string
  /** The picture of WeCom's QR code; null where the claim page's own is printed. */
  readonly wecomQr: Blob | null
  readonly help: string
}

/** A4 at 200 points an inch: sharp at arm's length, and light enough to send. */
const WIDTH = 1654
const HEIGHT = 2339
const INK = '#1a1f2b'
const QUIET = '#5b6472'
const BRAND = '#0047bd'
const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif'

/** Draws a poster to print. Throws where the browser cannot draw or the QR code cannot be read. */
export async function drawPoster(poster: Poster): Promise<HTMLCanvasElement> {
  const canvas = document.createElement('canvas')
  canvas.width = WIDTH
  canvas.height = HEIGHT
  const pen = canvas.getContext('2d')
  if (pen === null) throw new Error('this browser draws no canvas')
  pen.fillStyle = '#fff'
  pen.fillRect(0, 0, WIDTH, HEIGHT)
  drawHead(pen, poster)
  await drawCode(pen, poster)
  drawSteps(pen, poster)
  await drawFoot(pen, poster)
  return canvas
}

function drawHead(pen: CanvasRenderingContext2D, { companyName, title }: Poster): void {
  const ground = pen.createLinearGradient(0, 0, WIDTH, 520)
  ground.addColorStop(0, BRAND)
  ground.addColorStop(1, '#3a7be8')
  pen.fillStyle = ground
  pen.fillRect(0, 0, WIDTH, 520)
  centred(pen, companyName, { y: 150, size: 58, colour: '#ffffffd9', width: WIDTH - 240 })
  centred(pen, title, { y: 300, size: 128, colour: '#fff', width: WIDTH - 200, bold: true })
  centred(pen, posterWords.scan, { y: 430, size: 64, colour: '#fff', width: WIDTH - 240 })
}

async function drawCode(pen: CanvasRenderingContext2D, { claimUrl, wecomQr, site }: Poster): Promise<void> {
  const size = 780
  const [x, y] = [(WIDTH - size) / 2, 610]
  if (wecomQr === null) await drawQr(pen, claimUrl, { x, y, size })
  else {
    const picture = await createImageBitmap(wecomQr)
    pen.imageSmoothingEnabled = false
    pen.drawImage(picture, x, y, size, size)
  }
  centred(pen, posterWords.at(site), { y: y + size + 80, size: 52, colour: QUIET, width: WIDTH - 240 })
}

async function drawQr(
  pen: CanvasRenderingContext2D,
  text: string,
  at: { readonly x: number; readonly y: number; readonly size: number },
): Promise<void> {
  const code = document.createElement('canvas')
  await QRCode.toCanvas(code, text, { width: at.size, margin: 1, errorCorrectionLevel: 'M' })
  pen.imageSmoothingEnabled = false
  pen.drawImage(code, at.x, at.y, at.size, at.size)
}

function drawSteps(pen: CanvasRenderingContext2D, poster: Poster): void {
  const steps = posterWords.steps[poster.wecomQr === null ? 'direct' : 'adds']
  const [left, top, gap] = [250, 1640, 128]
  steps.forEach((step, index) => {
    const y = top + index * gap
    pen.beginPath()
    pen.arc(left, y, 44, 0, Math.PI * 2)
    pen.fillStyle = BRAND
    pen.fill()
    write(pen, String(index + 1), { x: left, y, size: 52, colour: '#fff', align: 'center', bold: true })
    write(pen, step, { x: left + 90, y, size: 60, colour: INK, align: 'left', width: WIDTH - left - 250 })
  })
}

async function drawFoot(pen: CanvasRenderingContext2D, poster: Poster): Promise<void> {
  const beside = poster.wecomQr !== null
  const [left, right] = [170, beside ? 470 : 170]
  pen.fillStyle = '#e3e7ee'
  pen.fillRect(left, 2000, WIDTH - left * 2, 3)
  const width = WIDTH - left - right
  write(pen, posterWords.own, { x: left, y: 2085, size: 50, colour: INK, align: 'left', width })
  write(pen, poster.help, { x: left, y: 2175, size: 50, colour: QUIET, align: 'left', width })
  if (!beside) return
  await drawQr(pen, poster.claimUrl, { x: WIDTH - 430, y: 2030, size: 220 })
  write(pen, posterWords.besides, { x: WIDTH - 320, y: 2282, size: 30, colour: QUIET, align: 'center', width: 420 })
}

interface Line {
  readonly x: number
  readonly y: number
  readonly size: number
  readonly colour: string
  readonly align: CanvasTextAlign
  readonly bold?: boolean
  /** What is longer is written smaller. */
  readonly width?: number
}
const centred = (pen: CanvasRenderingContext2D, text: string, line: Omit<Line, 'x' | 'align'>): void =>
  write(pen, text, { ...line, x: WIDTH / 2, align: 'center' })

function write(pen: CanvasRenderingContext2D, text: string, line: Line): void {
  const style = (size: number): string => `${line.bold === true ? '600 ' : ''}${size}px ${FONT}`
  pen.font = style(line.size)
  const { width } = pen.measureText(text)
  if (line.width !== undefined && width > line.width) pen.font = style(Math.floor((line.size * line.width) / width))
  pen.fillStyle = line.colour
  pen.textAlign = line.align
  pen.textBaseline = 'middle'
  pen.fillText(text, line.x, line.y)
}

/** A canvas as the bytes of a PNG. */
export function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no picture was made')) : resolve(blob)), 'image/png')
  })
}

/** A picture as one A4 page; the library for it is loaded only now. */
export async function pdfOf(png: Blob): Promise<Blob> {
  const { PDFDocument, PageSizes } = await import('pdf-lib')
  const file = await PDFDocument.create()
  const page = file.addPage(PageSizes.A4)
  const picture = await file.embedPng(await png.arrayBuffer())
  page.drawImage(picture, { x: 0, y: 0, width: page.getWidth(), height: page.getHeight() })
  return new Blob([new Uint8Array(await file.save())], { type: 'application/pdf' })
}
