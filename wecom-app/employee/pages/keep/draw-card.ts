import QRCode from 'qrcode'

export interface CardPicture {
  /** The cover as it stands on the page. */
  readonly cover: SVGElement
  readonly title: string
  readonly balance: { readonly label: string; readonly value: string }
  readonly facts: readonly { readonly label: string; readonly value: string }[]
  /** What the square leads to, and what is said below it. */
  readonly link: string
  readonly scan: string
}

const WIDTH = 900
const PAD = 48
const COVER_HEIGHT = ((WIDTH - 2 * PAD) * 200) / 320
const QR_SIDE = 360
const LINE = 44
const ink = '#1a1a1a'
const quiet = '#595959'
const family = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'

/**
 * Draws a card as one long picture, in the page and without a file: a phone keeps it by a long press. Answers the address of
 * a PNG that lives as long as the page; whoever has it gives it back by `URL.revokeObjectURL`.
 */
export async function drawCard(picture: CardPicture): Promise<string> {
  const canvas = document.createElement('canvas')
  canvas.width = WIDTH
  const pen = canvas.getContext('2d')
  if (pen === null) throw new Error('this browser cannot draw')
  const steps = layOut(pen, picture)
  canvas.height = steps.height
  pen.fillStyle = '#fff'
  pen.fillRect(0, 0, WIDTH, steps.height)
  pen.drawImage(await imageOf(picture.cover), PAD, PAD, WIDTH - 2 * PAD, COVER_HEIGHT)
  for (const { text, font, colour, x, y, align } of steps.texts) {
    pen.font = font
    pen.fillStyle = colour
    pen.textAlign = align
    pen.fillText(text, x, y)
  }
  drawCode(pen, picture.link, (WIDTH - QR_SIDE) / 2, steps.codeY)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no picture')) : resolve(URL.createObjectURL(blob))))
  })
}

interface PlacedText {
  readonly text: string
  readonly font: string
  readonly colour: string
  readonly x: number
  readonly y: number
  readonly align: CanvasTextAlign
}

/** Where each line stands: long names take more lines, so the height follows from them. */
function layOut(pen: CanvasRenderingContext2D, picture: CardPicture) {
  const texts: PlacedText[] = []
  let y = PAD + COVER_HEIGHT + 72
  const put = (text: string, size: number, colour: string, weight = 400, align: CanvasTextAlign = 'left'): void => {
    const font = `${weight} ${size}px ${family}`
    pen.font = font
    for (const line of wrap(pen, text, WIDTH - 2 * PAD)) {
      texts.push({ text: line, font, colour, x: align === 'center' ? WIDTH / 2 : PAD, y, align })
      y += Math.max(LINE, size * 1.3)
    }
  }
  put(picture.title, 36, ink, 600)
  put(`${picture.balance.label}  ${picture.balance.value}`, 40, ink, 700)
  y += 12
  for (const { label, value } of picture.facts) put(`${label}  ${value}`, 30, quiet)
  const codeY = y + 12
  y = codeY + QR_SIDE + 56
  put(picture.scan, 28, quiet, 400, 'center')
  return { texts, codeY, height: Math.round(y + PAD / 2) }
}

/** Breaks a text where it must; Chinese may break after every sign, other scripts where their words end. */
function wrap(pen: CanvasRenderingContext2D, text: string, room: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const part of text.match(/[\p{L}\p{M}\p{N}]+(?<!\p{Script=Han})|./gu) ?? []) {
    const pieces = pen.measureText(part).width > room ? Array.from(part) : [part]
    for (const piece of pieces) {
      if (line !== '' && pen.measureText(line + piece).width > room) {
        lines.push(line.trimEnd())
        line = piece.trimStart()
      } else line += piece
    }
  }
  return [...lines, line]
}

async function imageOf(svg: SVGElement): Promise<HTMLImageElement> {
  const copy = svg.cloneNode(true) as SVGElement
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', '960')
  copy.setAttribute('height', '600')
  copy.setAttribute('font-family', 'system-ui, sans-serif')
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`
  await image.decode()
  return image
}

function drawCode(pen: CanvasRenderingContext2D, text: string, left: number, top: number): void {
  const { size, data } = QRCode.create(text, { errorCorrectionLevel: 'M' }).modules
  const point = Math.floor(QR_SIDE / size)
  const inset = (QR_SIDE - point * size) / 2
  pen.fillStyle = '#000'
  for (let row = 0; row < size; row += 1)
    for (let column = 0; column < size; column += 1)
      if (data[row * size + column] === 1)
        pen.fillRect(left + inset + column * point, top + inset + row * point, point, point)
}
