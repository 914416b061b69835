import { AppError } from '../server/kernel/errors.ts'
import { OutsideError } from '../server/kernel/outside.ts'
import { sql } from '../server/kernel/sql.ts'
import * as acts from './acts.ts'
import { makeCast, type Cast } from './cast.ts'
import { Stopped } from './life.ts'
import { booksOf, countMoney, endOf, touchedSince, type Seen } from './look.ts'
import type { Act } from './play.ts'
import * as office from './office-acts.ts'
import * as back from './refund-acts.ts'
import { seeded } from './seeded.ts'
import { openStage, type Stage } from './stage.ts'

export interface Telling {
  readonly seed: number
  readonly steps: number
  /** Told each line of what happens. */
  readonly log: ((line: string) => void) | null
  /** A query whose rows are printed when the story is over, for whoever looks for a cause. */
  readonly ask?: string | undefined
}

/** What became of a story. With a violation it ended at that step. */
export interface Told {
  readonly seed: number
  readonly steps: number
  readonly payments: number
  readonly refunds: number
  readonly splits: number
  readonly stops: number
  readonly violations: readonly string[]
}

/** How often each act comes, in so many. */
const program: readonly (readonly [number, Act])[] = [
  [5, acts.order],
  [9, acts.open],
  [9, acts.scan],
  [4, acts.transfer],
  [1, acts.topUp],
  [1, acts.bills],
  [3, acts.ask],
  [24, acts.work],
  [7, back.refund],
  [2, back.surplus],
  [1, back.giveUp],
  [2, back.hold],
  [4, acts.mail],
  [14, acts.wait],
  [6, acts.fault],
  [3, acts.temper],
  [4, acts.stop],
  [2, acts.pieces],
  [2, acts.again],
  [2, acts.show],
  [2, office.decide],
  [1, office.decideSharing],
  [2, office.draft],
  [1, office.exportFile],
  [2, office.carryOut],
  [1, office.movePayout],
  [2, office.assign],
  [2, office.invoice],
]
const drawn = program.flatMap(([times, act]) => Array.from({ length: times }, () => act))
/** All books are proved after so many steps. */
const PROVE_EVERY = 50

/** Tells one story to its end, or to the first promise that is broken. */
export async function tellStory(telling: Telling): Promise<Told> {
  const stage = await openStage(seeded(telling.seed))
  try {
    const cast = await makeCast(stage)
    const told = await tell(stage, cast, telling)
    const { ask } = telling
    if (ask !== undefined) for (const row of await stage.look((tx) => sql(tx.em, ask))) console.log(JSON.stringify(row))
    return told
  } finally {
    await stage.close()
  }
}

async function tell(stage: Stage, cast: Cast, { seed, steps, log }: Telling): Promise<Told> {
  let [step, stops] = [0, 0]
  let seen: Seen = new Map()
  const violations: string[] = []
  while (step < steps && violations.length === 0) {
    step += 1
    const line = await play(stage, cast, stage.chance.pick(drawn), violations)
    if (stage.life().stopped) {
      stops += 1
      stage.restart()
    }
    log?.(`${String(step).padStart(4)} ${new Date(stage.now()).toISOString()} ${line}`)
    for (const warning of stage.said.splice(0)) log?.(`       ${warning}`)
    const touched = await touchedSince(stage, seen)
    seen = touched.seen
    const last = step === steps
    violations.push(...(await booksOf(stage, step % PROVE_EVERY === 0 || last ? 'all' : touched.orders)))
  }
  if (violations.length === 0) violations.push(...(await endOf(stage, log)))
  return { seed, steps: step, stops, ...(await countMoney(stage)), violations }
}

/** Plays one act. A refusal is an answer like any other; what nobody expects is a violation. */
async function play(stage: Stage, cast: Cast, act: Act, violations: string[]): Promise<string> {
  try {
    return `${act.name}: ${await act(stage, cast)}`
  } catch (error) {
    if (error instanceof Stopped) return `${act.name}: stopped`
    if (error instanceof AppError) return `${act.name}: refused ${error.code} ${error.more.field ?? ''}`
    if (error instanceof OutsideError) return `${act.name}: no answer (${error.outcome} ${error.code})`
    violations.push(`${act.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return `${act.name}: failed`
  }
}
