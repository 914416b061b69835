/**
 * What a page may ask of the client that shows it, alike in every channel (product.md, H1 and H9). Whatever speaks with a
 * platform stands in this folder; `platform-calls.test.ts` holds every other page to that.
 */
export const acts = ['signIn', 'pay', 'share', 'menu', 'notify', 'scan', 'locate', 'close'] as const
export type Act = (typeof acts)[number]
export type Channel = 'wecom' | 'wechat' | 'browser'

/** Why a channel cannot do something, as pages say it (`gap.` in the shop's texts). */
export const gaps = ['open_in_wechat', 'no_account', 'not_sold_here', 'client_only', 'no_device'] as const
export type Gap = (typeof gaps)[number]

/**
 * What came of a call. `done` says what the client says, and no more: that a person paid or passed something on, only the
 * server knows, or nobody. `failed`: it was tried, and `why` is the platform's own word, for the log and never for people.
 */
export type Outcome<T = null> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'unavailable'; readonly gap: Gap }
  | { readonly kind: 'failed'; readonly why: string }

/** A payment that our server has prepared and signed (protocols wechat-pay, 2.2), as it came. */
export interface PayOrder {
  readonly appId: string
  readonly timeStamp: string
  readonly nonceStr: string
  readonly package: string
  readonly signType: string
  readonly paySign: string
}

export interface ShareCard {
  readonly title: string
  readonly text: string
  /** A page of ours, whole. */
  readonly url: string
  readonly imageUrl: string
}

/** `menu`: the person does it in the client's own menu. `sheet`: the phone's sheet took it. `copied`: it lies in the clipboard. */
export type ShareWay = 'menu' | 'sheet' | 'copied'

export interface NoticeAsk {
  /** The ids of the platform's templates. */
  readonly templates: readonly string[]
  /** What the button says; it is the platform's, and a person taps it. */
  readonly label: string
  /** The button is gone: whoever waits is told `cancelled`. */
  readonly over: AbortSignal
}

export interface Place {
  /** WGS 84. */
  readonly latitude: number
  readonly longitude: number
}

export interface Bridge {
  readonly channel: Channel
  /** What this channel can do; else why not. Whoever asks for it anyway is answered `unavailable` with the same. */
  readonly can: Readonly<Record<Act, true | Gap>>
  /** Leaves for the channel's own sign-in; it comes back to `back`, a path of ours. */
  readonly signIn: (back: string) => Outcome
  /** Opens the cashier. One at a time: a second tap is answered `failed`, and the cashier stays. */
  readonly pay: (order: PayOrder) => Promise<Outcome>
  /** Passes something on, at a person's tap. */
  readonly share: (card: ShareCard) => Promise<Outcome<ShareWay>>
  /** What the client's own menu passes on from now on: this card, the page as it is, or nothing. */
  readonly menu: (what: ShareCard | 'page' | 'nothing') => Promise<Outcome>
  /** Puts the platform's own button into a place; the templates that the person said yes to. */
  readonly notify: (place: HTMLElement, ask: NoticeAsk) => Promise<Outcome<readonly string[]>>
  readonly scan: () => Promise<Outcome<string>>
  readonly locate: () => Promise<Outcome<Place>>
  /** Closes the page's window. */
  readonly close: () => Promise<Outcome>
}

export const done: Outcome = { kind: 'done', value: null }
export const unavailable = (gap: Gap): Outcome<never> => ({ kind: 'unavailable', gap })

/** Does one thing of a platform: whatever it throws becomes an outcome. Platforms say `cancel` where a person turned back. */
export async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'done', value: await work() }
  } catch (error) {
    const why = wordOf(error)
    return /cancel/i.test(why) ? { kind: 'cancelled' } : { kind: 'failed', why }
  }
}

function wordOf(error: unknown): string {
  if (error instanceof Error) return error.name === 'AbortError' ? 'cancel' : error.message
  const { errMsg, err_msg: older } = (error ?? {}) as { errMsg?: unknown; err_msg?: unknown }
  return String(errMsg ?? older ?? error)
}

/** How long a platform may take where no person has the word, before it counts as not there. */
const COME_MS = 6_000
export async function within<T>(wanted: Promise<T>, why: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(why)), COME_MS)
  })
  try {
    return await Promise.race([wanted, late])
  } finally {
    clearTimeout(timer)
  }
}
