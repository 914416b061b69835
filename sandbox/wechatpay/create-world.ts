import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { makeMoney } from './money-state.ts'
import { makeBills } from './papers-state.ts'
import { postOverHttp } from './post-over-http.ts'
import { noticeKey } from './platform-keys.ts'
import { makePlatformKey } from './seal.ts'
import type { PlatformKey } from './seal.ts'
import type { World } from './state.ts'

/** What a world is made of besides its clock. */
export interface WorldOptions {
  /** A key to keep over restarts; else a fresh one. */
  readonly platformKey?: PlatformKey
  /** Shrinks the published waits between tries of a notice: 0.001 makes 15 s into 15 ms. */
  readonly noticeRetryScale?: number
  readonly post?: World['post']
  readonly random?: World['random']
}

/** WeChat Pay with nobody in it: no server, no network of its own. */
export function createWorld(clock: Clock, options: WorldOptions = {}): World {
  const world: World = {
    clock,
    now: () => clock.now(),
    key: options.platformKey ?? makePlatformKey('PUB_KEY_ID_0100000000000000000000000001'),
    keyFor: (merchant) => noticeKey(world, merchant),
    certificates: [],
    publicKeyPermille: 1000,
    skewMs: 0,
    noticeRetryScale: options.noticeRetryScale ?? 1,
    post: options.post ?? postOverHttp,
    random: options.random ?? randomBytes,
    merchants: new Map(),
    trades: new Map(),
    combined: new Map(),
    entries: new Map(),
    paid: new Map(),
    burned: new Set(),
    money: makeMoney(),
    bills: makeBills(),
    income: [],
    log: [],
    faults: [],
    held: [],
  }
  return world
}
