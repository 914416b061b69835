import type { Ports } from '../server/channels/ports.ts'
import type { Edge } from '../server/kernel/context.ts'
import { boundary } from './together.ts'

/** The process was stopped here: nothing that it had under way goes on. */
export class Stopped extends Error {
  constructor() {
    super('the process was stopped')
    this.name = 'Stopped'
  }
}

/** One run of a process, from its start to its stop. */
export interface Life {
  /** Boundaries of phases that it still passes; infinite while nobody stops it. */
  left: number
  /** How often work was ended by a stop. */
  stopped: boolean
}

export const newLife = (): Life => ({ left: Number.POSITIVE_INFINITY, stopped: false })

/** Between two phases: others may go on, and the process may end. */
async function cross(life: Life): Promise<void> {
  await boundary()
  pass(life)
}

/** Here a process may end. Once it has, everything of it ends. */
function pass(life: Life): void {
  if (life.left <= 0) {
    life.stopped = true
    throw new Stopped()
  }
  life.left -= 1
}

/**
 * An edge that lives no longer than its process. It ends before a transaction, inside before the commit, after the commit,
 * before a call to the outside, and after the call took effect and before its answer is known.
 */
export function mortal(edge: Edge, life: Life): Edge {
  return {
    ...edge,
    ports: {
      ...edge.ports,
      wechatPay: mortalPort(edge.ports.wechatPay, life),
      invoice: mortalPort(edge.ports.invoice, life),
    },
    tx: async (work) => {
      await cross(life)
      const answer = await edge.tx(async (tx) => {
        const result = await work(tx)
        pass(life)
        return result
      })
      await cross(life)
      return answer
    },
    read: async (work) => {
      if (life.left <= 0) pass(life)
      return edge.read(work)
    },
  }
}

/** Bodies and parameters are made without leaving the building; every other method is a call. */
const isCall = (name: string) => !name.endsWith('Body') && name !== 'jsapiParameters'

function mortalPort<P extends Ports['wechatPay' | 'invoice']>(port: P, life: Life): P {
  return new Proxy(port, {
    get: (target, name, receiver) => {
      const method: unknown = Reflect.get(target, name, receiver)
      if (typeof method !== 'function' || typeof name !== 'string' || !isCall(name)) return method
      return async (...args: readonly unknown[]) => {
        await cross(life)
        const answer: unknown = await Reflect.apply(method, target, args)
        await cross(life)
        return answer
      }
    },
  })
}
