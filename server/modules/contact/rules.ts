const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Reasons beside the figures: each bounds what somebody can try who knows the wall's QR code and colleagues' numbers. */
export const contactLimits = {
  /** As long as people need to find the message and type it. */
  codeLifeMs: 5 * MINUTE_MS,
  /** 5 of 1,000,000: a code cannot be guessed in its life. */
  triesOfACode: 5,
  /** A window of wrong guesses, in all processes together. */
  guessWindowMs: 10 * MINUTE_MS,
  /** Wrong codes of one address: a factory of 2,000 behind it mistypes fewer in ten minutes. */
  guessesOfAnAddress: 500,
  /** Wrong codes in the place of living ones at one QR code or link, from wherever they come. */
  guessesAtADoor: 2000,
  /** Codes of a campaign in a day, for each of its heads: more are asked for by somebody else, and are paid for by us. */
  codesOfAHead: 5,
  /** Codes that a number gets in a day even then. */
  codesAlways: 3,
  linkLifeMs: 14 * DAY_MS,
  /** After that the wall's QR code gives back its place in WeCom's quota of 500,000 (protocols wecom 6.2). */
  wayLifeMs: 90 * DAY_MS,
  codesKeptMs: DAY_MS,
  contentKeptMs: 30 * DAY_MS,
  /** A welcome message is taken for 20 s after the contact was added (protocols wecom 6.3). */
  welcomeMs: 20_000,
  massSendMost: 10_000,
  massSendLifeMs: 7 * DAY_MS,
} as const

/**
 * How long the next code to a number has to wait after the last one, when `sent` went to it within a day. It grows, so
 * that nobody is flooded, and stays short enough that the true holder is never shut out for long by somebody else's
 * requests.
 */
export function codeWaitMs(sent: number): number {
  if (sent === 0) return 0
  if (sent <= 2) return MINUTE_MS
  return sent <= 5 ? 3 * MINUTE_MS : 10 * MINUTE_MS
}

/** The wait that a page counts down: the same for everybody, on the list or not. */
export const SHOWN_WAIT_MS = MINUTE_MS

/** When a mass-sending task is asked about next: every few minutes in its first day, then daily. Null: no more. */
export function nextAskMs(ageMs: number): number | null {
  if (ageMs >= contactLimits.massSendLifeMs) return null
  return ageMs < DAY_MS ? 5 * MINUTE_MS : DAY_MS
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** 26 letters and digits, 130 bits, of as many random bytes: fits into WeCom's `state` of 30 (protocols wecom 6.2). */
export function tokenOf(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, TOKEN_BYTES), (byte) => ALPHABET[byte & 31]).join('')
}
export const TOKEN_BYTES = 26

/** Six digits, each number as likely as any other: draws again above the last whole million of 32 bits. */
export function sixDigits(random: (bytes: number) => Buffer): string {
  for (;;) {
    const drawn = random(4).readUInt32BE()
    if (drawn < 4_294_000_000) return String(drawn % 1_000_000).padStart(6, '0')
  }
}

/**
 * Codes after which nothing works with a company's credential. Others that WeCom calls a matter of rights (60011, 84074,
 * 41045) concern customer contact alone: messages to members go on.
 */
const DEAD_CREDENTIAL: ReadonlySet<string> = new Set(
  [40001, 40013, 40084, 40091, 45031, 48004, 50003, 301007].map(String),
)
export const isDeadCredential = (code: string): boolean => DEAD_CREDENTIAL.has(code)

/** At most so many bytes of UTF-8, without a torn sign. */
export function cutToBytes(text: string, most: number): string {
  let bytes = 0
  let kept = ''
  for (const sign of text) {
    bytes += Buffer.byteLength(sign)
    if (bytes > most) return kept
    kept += sign
  }
  return kept
}

/** The name under which a removed QR code stands, so that its site may have a new one. */
export const removedSite = (site: string, id: string): string => `${site.slice(0, 50)} #${id.slice(-7)}`
