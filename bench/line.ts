import { connect, type Socket } from 'node:net'

/** One kept connection: a request at a time. Resolves with the status; 0 when the connection broke. */
export class Line {
  private readonly socket: Socket
  private waiting: ((status: number) => void) | null = null
  private text = ''
  /** The server ends connections that rest for some seconds. */
  closed = false

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (part: string) => this.take(part))
    this.socket.on('error', () => this.answer(0))
    this.socket.on('close', () => {
      this.closed = true
      this.answer(0)
    })
  }

  send(request: Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.waiting = resolve
      this.socket.write(request)
    })
  }

  end(): void {
    this.socket.destroy()
  }

  private take(part: string): void {
    this.text += part
    const end = this.text.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/content-length: (\d+)/i.exec(this.text.slice(0, end))?.[1] ?? 0)
    if (this.text.length < end + 4 + length) return
    const status = Number(this.text.slice(9, 12))
    this.text = ''
    this.answer(status)
  }

  private answer(status: number): void {
    const waiting = this.waiting
    this.waiting = null
    waiting?.(status)
  }
}
