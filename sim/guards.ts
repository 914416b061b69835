/**
 * node sim/guards.ts [--guard NAME]… [--from S] [--most N] [--steps M] [--known] [--json]
 * Takes one guard of the money out at a time and tells stories until one breaks a promise: a guard that is not missed is one
 * that the simulator does not watch. Modules are patched while they are read, in this process alone; nothing of the house
 * can be told to leave a guard out. From seed 1 on it looks for the first that fails, at most 200; `--known` begins at the
 * seed that is known to fail, and tells it with all guards in place, too. Exit code 1 when a guard is not missed.
 */
import { parseArgs } from 'node:util'
import { readWithoutGuards } from '../server/testing/without-guard.ts'
import { guards, type Guard } from './guard-list.ts'

const { values } = parseArgs({
  options: {
    guard: { type: 'string', multiple: true },
    from: { type: 'string', default: '1' },
    most: { type: 'string', default: '200' },
    steps: { type: 'string', default: '500' },
    known: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const steps = Number(values.steps)

export interface Found {
  readonly guard: string
  /** The first seed whose story failed without it and not with it; null: there was none. */
  readonly seed: number | null
  readonly step: number
  readonly seeds: number
  readonly violation: string
  /** What stories broke that had all guards. */
  readonly whole: readonly string[]
}

type TellStory = typeof import('./story.ts').tellStory

/** What stories broke with all guards in place, and how far they were told. */
const wholes = new Map<number, { readonly steps: number; readonly violations: readonly string[] }>()

readWithoutGuards(guards)
process.exitCode = await main()

async function main(): Promise<number> {
  const chosen = guards.filter((guard) => values.guard === undefined || values.guard.includes(guard.name))
  if (chosen.length === 0) throw new Error(`no such guard: ${values.guard?.join(' ')}`)
  const all: Found[] = []
  for (const guard of chosen) {
    const found = await search(guard)
    all.push(found)
    const where = found.seed === null ? `not missed in ${found.seeds} seeds` : `seed ${found.seed}, step ${found.step}`
    process.stderr.write(`${guard.name}: ${where}: ${found.violation.slice(0, 200)}\n`)
    for (const broken of found.whole) process.stderr.write(`  with all guards: ${broken}\n`)
  }
  if (values.json) console.log(JSON.stringify(all))
  return all.every((found) => found.seed !== null && found.whole.length === 0) ? 0 : 1
}

async function search(guard: Guard): Promise<Found> {
  const tell = await storiesWithout(guard.name)
  const whole: string[] = []
  // Seeds from 1 on are told where the known one has become another story.
  const [from, most] = [Number(values.from), Number(values.most)]
  const seeds = Array.from({ length: most }, (_, index) => from + index)
  for (const [index, seed] of (values.known ? [guard.seed, ...seeds] : seeds).entries()) {
    const told = await tell({ seed, steps, log: null })
    const violation = told.violations[0]?.split('\n')[0]
    if (violation === undefined) continue
    const violations = await tellWhole(seed, told.steps)
    whole.push(...violations)
    if (violations.length === 0)
      return { guard: guard.name, seed, step: told.steps, seeds: index + 1, violation, whole }
  }
  return { guard: guard.name, seed: null, step: 0, seeds: most, violation: '', whole }
}

/** What the story breaks with all guards in place; one that was told further says it, too. */
async function tellWhole(seed: number, least: number): Promise<readonly string[]> {
  const known = wholes.get(seed)
  if (known !== undefined && known.steps >= least) return known.violations
  const { violations } = await (await storiesWithout(null))({ seed, steps: least, log: null })
  wholes.set(seed, { steps: least, violations })
  return violations
}

/** The simulator with the whole house, read anew without this guard. */
async function storiesWithout(guard: string | null): Promise<TellStory> {
  const { tellStory } = (await import(`./story.ts${guard === null ? '' : `?without=${guard}`}`)) as {
    tellStory: TellStory
  }
  return tellStory
}
