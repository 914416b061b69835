import { inspect } from 'node:util'
import pino, { type DestinationStream } from 'pino'

/** What every scope can say. Fields hold ids and codes only. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A value that must not be seen by accident: it prints as `***` everywhere and is read only by `reveal()`. */
export class Secret<T extends string | Buffer = string> {
  readonly #value: T
  constructor(value: T) {
    this.#value = value
  }
  reveal(): T {
    return this.#value
  }
  toString(): string {
    return '***'
  }
  toJSON(): string {
    return '***'
  }
  [Symbol.toPrimitive](): string {
    return '***'
  }
  [inspect.custom](): string {
    return '***'
  }
}

/** Field names that never appear in a log line with their value, at the top and two levels down. */
const redactedNames = (
  'authorization cookie password secret token access_token suite_access_token corpsecret ' +
  'mobile phone idNumber openid userid wecomUserId cardCode cardSecret code_verifier'
).split(' ')

export interface RootLog extends Log {
  /** A line whose fields hold nothing to redact, whoever asks for what: looking costs more than writing it. */
  plain(fields: object, message: string): void
  debug(fields: object, message: string): void
  /** The same log with fields that stand on each of its lines. */
  child(fields: object): RootLog
}

/** Lines of JSON to stdout (or to the given stream), secrets redacted. */
export function createLog(options: { level?: string; stream?: DestinationStream } = {}): RootLog {
  const settings = {
    level: options.level ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: tellError },
    redact: {
      paths: redactedNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '***',
    },
  }
  const stream = options.stream ?? pino.destination(1)
  const { redact: _redact, ...plain } = settings
  return fromPino(pino(settings, stream), pino(plain, stream))
}

/** A log that says nothing, for tests. */
export function silentLog(): RootLog {
  const silent = pino({ level: 'silent' })
  return fromPino(silent, silent)
}

/** An error without the statement and the values that a driver hangs on it: they may be a thousand rows. */
function tellError(error: Error): object {
  const {
    sql: _sql,
    parameters: _values,
    query: _query,
    ...told
  } = pino.stdSerializers.err(error) as pino.SerializedError
  return told
}

function fromPino(logger: pino.Logger, plain: pino.Logger): RootLog {
  return {
    plain: (fields, message) => plain.info(fields, message),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => fromPino(logger.child(fields), plain.child(fields)),
  }
}
