/** A refusal as the server told it. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, text: string) {
    super(`${status} ${code}: ${text}`)
    this.name = 'Refused'
    this.status = status
    this.code = code
  }
}

interface Sending {
  readonly method?: string
  readonly json?: unknown
  readonly raw?: Uint8Array
  readonly key?: string
  readonly lang?: 'zh-CN' | 'en'
  readonly headers?: Readonly<Record<string, string>>
}

let counter = 0
/** A key that no other write of this process uses. */
export const freshKey = (): string => `${process.pid}-${Date.now()}-${(counter += 1)}`

/** A browser without a screen: cookies by origin, redirects followed one by one, writes with their origin and key. */
export class Visitor {
  readonly baseUrl: string
  readonly #jar = new Map<string, Map<string, string>>()
  readonly #agent: string

  constructor(baseUrl: string, agent = 'fulika-walk') {
    this.baseUrl = baseUrl
    this.#agent = agent
  }

  /** GETs an address and follows where it leads, as a browser does; the final answer. */
  async open(url: string): Promise<Response> {
    let at = new URL(url, this.baseUrl)
    for (let step = 0; step < 10; step += 1) {
      const answer = await this.#fetch(at, {})
      const next = answer.headers.get('location')
      if (answer.status < 300 || answer.status > 399 || next === null) return answer
      await answer.arrayBuffer()
      at = new URL(next, at)
    }
    throw new Error(`too many redirects from ${url}`)
  }

  /** Calls an endpoint: JSON in, JSON out. Throws Refused with the problem's code. */
  async call<T>(path: string, sending: Sending = {}): Promise<T> {
    const answer = await this.send(path, sending)
    const text = await answer.text()
    if (answer.ok) return (text === '' ? null : JSON.parse(text)) as T
    const problem = text.startsWith('{') ? (JSON.parse(text) as { code?: string; title?: string; detail?: string }) : {}
    throw new Refused(
      answer.status,
      problem.code ?? 'none',
      `${problem.title ?? text.slice(0, 200)} ${problem.detail ?? ''}`,
    )
  }

  /** The same without judging the answer. */
  send(path: string, sending: Sending = {}): Promise<Response> {
    return this.#fetch(new URL(path, this.baseUrl), sending)
  }

  /** Signs in as a member of a company: through WeCom's page, choosing this userid, and its corp where several may be meant. */
  async signIn(audience: 'hr' | 'employee', companyCode: string, userid: string, corpId?: string): Promise<void> {
    const first = await this.#fetch(new URL(`/${audience}/sign-in/${companyCode}`, this.baseUrl), {})
    const location = first.headers.get('location')
    if (location === null) throw new Refused(first.status, 'sign_in', await first.text())
    const page = new URL(location)
    page.searchParams.set('as', userid)
    if (corpId !== undefined) page.searchParams.set('corp', corpId)
    const back = await this.#fetch(page, {})
    const callback = back.headers.get('location')
    if (callback === null) throw new Refused(back.status, 'sign_in', await back.text())
    const done = await this.#fetch(new URL(callback), {})
    if (done.status !== 302) throw new Refused(done.status, 'sign_in', await done.text())
  }

  /** Follows a server-sent stream until `enough` says so for an event's data. */
  async follow<T>(path: string, enough: (data: T) => boolean, onData?: (data: T) => void): Promise<T> {
    const answer = await this.send(path)
    if (!answer.ok || answer.body === null) throw new Refused(answer.status, 'stream', await answer.text())
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (;;) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`${path}: the stream ended too early`)
      text += value
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) {
        const line = part.split('\n').find((one) => one.startsWith('data: '))
        if (line === undefined) continue
        const data = JSON.parse(line.slice(6)) as T
        onData?.(data)
        if (!enough(data)) continue
        await reader.cancel()
        return data
      }
    }
  }

  async #fetch(url: URL, sending: Sending): Promise<Response> {
    const cookies = this.#jar.get(url.origin) ?? new Map<string, string>()
    this.#jar.set(url.origin, cookies)
    const method = sending.method ?? (sending.json === undefined && sending.raw === undefined ? 'GET' : 'POST')
    const headers: Record<string, string> = {
      'user-agent': this.#agent,
      'accept-language': sending.lang ?? 'zh-CN',
      ...(cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
      ...(method === 'GET' ? {} : { origin: url.origin, 'idempotency-key': sending.key ?? freshKey() }),
      ...(sending.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(sending.raw === undefined ? {} : { 'content-type': 'application/octet-stream' }),
      ...sending.headers,
    }
    const body =
      sending.raw === undefined
        ? sending.json === undefined
          ? null
          : JSON.stringify(sending.json)
        : Buffer.from(sending.raw)
    const answer = await fetch(url, { method, headers, redirect: 'manual', body })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      if (/Max-Age=0/i.test(line)) cookies.delete(pair.slice(0, at))
      else cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return answer
  }
}
