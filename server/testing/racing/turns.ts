import type { WechatPayPort } from '../../channels/wechatpay-port.ts'
import type { Edge } from '../../kernel/context.ts'

/** One of two that race. */
export type Side = 'first' | 'second'
/** Does its part with the edge it is given. */
export type Act = (edge: Edge) => Promise<boolean>
/** Wraps the edge of a side. */
export type Through = (edge: Edge) => Edge

/** What a side asks of WeChat Pay in a race; bodies are made without it. */
const calls = [
  'share',
  'unfreeze',
  'queryShare',
  'unsplitAmount',
  'addReceiver',
  'refund',
  'queryRefund',
] as const satisfies readonly (keyof WechatPayPort)[]

/**
 * Plays two who never move at the same time: each transaction, read and call of theirs is one phase, and `whose` says
 * before each who comes next. A side that is at its end gives way to the other. So with an answer that is always the
 * same the one is over before the other begins, and the same answers give the same race.
 */
export async function playInTurns<A, B>(
  whose: () => Side,
  play: { readonly first: (through: Through) => Promise<A>; readonly second: (through: Through) => Promise<B> },
): Promise<[A, B]> {
  const waiting: Partial<Record<Side, () => void>> = {}
  let moving = 2
  const next = (): void => {
    moving -= 1
    if (moving > 0) return
    const wanted = whose()
    const side = waiting[wanted] ? wanted : wanted === 'first' ? 'second' : 'first'
    const go = waiting[side]
    if (!go) return
    delete waiting[side]
    moving = 1
    go()
  }
  const run = async <T>(side: Side, work: (through: Through) => Promise<T>): Promise<T> => {
    const turn = async <R>(phase: () => Promise<R>): Promise<R> => {
      await new Promise<void>((resolve) => {
        waiting[side] = resolve
        next()
      })
      return phase()
    }
    try {
      return await work((edge) => inPhases(edge, turn))
    } finally {
      next()
    }
  }
  return Promise.all([run('first', play.first), run('second', play.second)])
}

type Turn = <R>(phase: () => Promise<R>) => Promise<R>

function inPhases(edge: Edge, turn: Turn): Edge {
  const wechatPay = { ...edge.ports.wechatPay }
  for (const name of calls) {
    const call = edge.ports.wechatPay[name] as (...values: unknown[]) => Promise<unknown>
    Object.assign(wechatPay, { [name]: (...values: unknown[]) => turn(() => call(...values)) })
  }
  return {
    ...edge,
    ports: { ...edge.ports, wechatPay },
    tx: (work) => turn(() => edge.tx(work)),
    read: (work) => turn(() => edge.read(work)),
  }
}
