import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { listingCategories, shelfSortKeys, type Shelf } from '../contract/store/shelf.ts'
import { ask, heard, startChild } from './child.ts'
import { openGround } from './ground.ts'
import { runPhase } from './phases.ts'
import { figuresOf, type RunFigures } from './redeem-figures.ts'
import { searches } from './shelf-words.ts'

const SECONDS = 40
const WARMING = 300
const ALONE = 300

/** How a request of the shelf came out. */
interface Answer {
  readonly ms: number
  readonly nextCursor: string | null
}

/**
 * Looks at a full shelf over HTTP, at a steady pace whatever it takes (an open loop): first pages, searches in Chinese, pinyin and
 * initials, facets under any two keys, and pages behind; while buyers take cards and an operator changes a listing a second.
 * Beside it in the same run an endpoint that does nothing, and the query alone that a page of a search would be.
 */
export async function benchShelf(
  wish: { readonly listings: number; readonly perSecond: number },
  db: 'mysql' | 'sqlite',
  say: (line: string) => void,
): Promise<object> {
  const ground = await openGround(db)
  try {
    say(`${ground.durability}\nfilling the shelf with ${wish.listings} cards`)
    say(JSON.stringify(await runPhase('shelf-phase.ts', ['fill', ground.service, String(wish.listings)])))
    const server = startChild('shelf-server.ts', [ground.service], {})
    const { port } = (await heard(server)) as { port: number }
    const shelf = visitor(port)
    for (let index = 0; index < WARMING; index += 1) await shelf.look()
    say(`looking ${wish.perSecond} times a second for ${SECONDS} s`)
    await ask(server, { kind: 'cpu' })
    const looked = await paced(wish.perSecond, () => shelf.look())
    const { cpuMs } = (await ask(server, { kind: 'cpu' })) as { cpuMs: number }
    const hello = await paced(wish.perSecond, () => shelf.ask('/store/hello'))
    const alone = ((await ask(server, { kind: 'alone', count: ALONE })) as { ms: number[] }).ms
    const meanwhile = (await ask(server, { kind: 'stop' })) as Record<string, number>
    await once(server, 'exit')
    shelf.end()
    const { findings } = await runPhase<{ findings: readonly unknown[] }>('shelf-phase.ts', ['check', ground.service])
    const bare = figuresOf({ seconds: 1, done: ALONE, ms: alone })
    return {
      listings: wish.listings,
      offeredPerSecond: wish.perSecond,
      answeredPerSecond: looked.perSecond,
      p50Ms: looked.p50Ms,
      p95Ms: looked.p95Ms,
      p99Ms: looked.p99Ms,
      worstMs: looked.worstMs,
      /** Of the server, what buyers and the operator did meanwhile included. */
      cpuMsPerLook: Math.round((cpuMs / looked.done) * 10) / 10,
      helloP50Ms: hello.p50Ms,
      helloP95Ms: hello.p95Ms,
      queryAloneP50Ms: bare.p50Ms,
      queryAloneP99Ms: bare.p99Ms,
      ...meanwhile,
      booksBalanced: findings.length === 0,
      durability: ground.durability,
    }
  } finally {
    await ground.remove()
  }
}

/** One who looks around: some requests go on from the page before. */
function visitor(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const cursors: string[] = []
  const askFor = (path: string): Promise<Answer> => {
    const began = performance.now()
    return new Promise((resolve, reject) => {
      const request = get({ port, host: '127.0.0.1', path, agent }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          if (response.statusCode !== 200) return reject(new Error(`${path} was answered with ${response.statusCode}`))
          const ms = performance.now() - began
          const shelf = JSON.parse(Buffer.concat(parts).toString()) as Partial<Shelf>
          resolve({ ms, nextCursor: shelf.nextCursor ?? null })
        })
      }).on('error', (error: NodeJS.ErrnoException) => {
        // The server ends connections that rest for some seconds: what was asked on one is asked again, on its own time.
        if (!request.reusedSocket || error.code !== 'ECONNRESET') return reject(error)
        askFor(path).then(({ nextCursor }) => resolve({ ms: performance.now() - began, nextCursor }), reject)
      })
    })
  }
  const look = async (): Promise<Answer> => {
    const query = nextQuery(cursors)
    const answer = await askFor(`/store/shelf?${query}`)
    if (answer.nextCursor !== null && cursors.length < 200)
      cursors.push(`${query.replace(/&cursor=.*/, '')}&cursor=${answer.nextCursor}`)
    return answer
  }
  return { look, ask: askFor, end: () => agent.destroy() }
}

const oneOf = <T>(list: readonly T[]): T => list[randomInt(list.length)]!

/** A fifth first pages, two fifths searches, a fifth facets, a fifth pages behind. */
function nextQuery(cursors: string[]): string {
  const keys = `sort=${oneOf(shelfSortKeys)}&second=${oneOf(shelfSortKeys)}`
  switch (randomInt(5)) {
    case 0:
      return keys
    case 1:
    case 2:
      return `${keys}&search=${encodeURIComponent(oneOf(searches))}`
    case 3:
      return `${keys}&category=${oneOf(listingCategories)},general&amount=50_200,200_500&channel=h5`
    default:
      return cursors.length > 0 ? cursors.splice(randomInt(cursors.length), 1)[0]! : keys
  }
}

/** Asks at each instant of the clock that is due; what waits is counted from the instant at which it should have been asked. */
async function paced(perSecond: number, work: () => Promise<Answer>): Promise<RunFigures & { p95Ms: number }> {
  const ms: number[] = []
  const running: Promise<unknown>[] = []
  const began = performance.now()
  for (let index = 0; index < perSecond * SECONDS; index += 1) {
    const due = began + (index / perSecond) * 1000
    const early = due - performance.now()
    if (early > 1) await sleep(early)
    running.push(work().then(() => ms.push(performance.now() - due)))
  }
  await Promise.all(running)
  const figures = figuresOf({ seconds: (performance.now() - began) / 1000, done: ms.length, ms })
  const sorted = ms.toSorted((a, b) => a - b)
  return { ...figures, p95Ms: Math.round(sorted[Math.ceil(sorted.length * 0.95) - 1]! * 10) / 10 }
}
