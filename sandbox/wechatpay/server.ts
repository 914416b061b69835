import { startClock } from '../clock.ts'
import { listen } from '../listen.ts'
import type { Neighbours } from '../look/page.ts'
import { handlerOf } from './app.ts'
import { createWorld } from './create-world.ts'
import type { WorldOptions } from './create-world.ts'

/** How the sandbox starts. */
export interface SandboxOptions extends WorldOptions {
  readonly port?: number
  readonly host?: string
  readonly now?: () => number
  /** May be filled in later, once the other half listens. */
  readonly neighbours?: Neighbours
}

/** A running sandbox. */
export interface WechatPaySandbox {
  readonly baseUrl: string
  readonly platformPublicKeyPem: string
  readonly platformPublicKeyId: string
  close(): Promise<void>
}

/** Starts WeChat Pay as a local server over real HTTP, with a cashier page, a small bank and fault dials. */
export async function startWechatPaySandbox(options: SandboxOptions = {}): Promise<WechatPaySandbox> {
  const clock = startClock(options.now ?? Date.now)
  const world = createWorld(clock, options)
  const handle = handlerOf(world, { side: 'pay', neighbours: options.neighbours ?? {} })
  const { baseUrl, close } = await listen(handle, options)
  return {
    baseUrl,
    platformPublicKeyPem: world.key.publicPem,
    platformPublicKeyId: world.key.id,
    close: () => {
      clock.stop()
      return close()
    },
  }
}
