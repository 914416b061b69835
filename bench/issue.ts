import { openGround } from './ground.ts'
import { runPhase } from './phases.ts'

/** Connections that write cards at once: as many as an issuing job has slices in work. */
const CONNECTIONS = 2

interface Issued {
  readonly seconds: number
  readonly p99SliceMs: number
  readonly rssMiB: readonly number[]
  readonly peakRssMiB: number
}
interface Checked {
  readonly cards: number
  readonly items: number
  readonly numbers: number
  readonly secrets: number
  readonly findings: readonly unknown[]
}

/** Issues `cards` cards through the service and writes the same rows by the driver alone; returns the figures of both. */
export async function benchIssue(cards: number, db: 'mysql' | 'sqlite', say: (line: string) => void): Promise<object> {
  const ground = await openGround(db)
  try {
    say(`${ground.durability}\nplacing and paying orders for ${cards} cards`)
    await runPhase('issue-phase.ts', ['place', ground.service, String(cards)])
    say('issuing')
    const issued = await runPhase<Issued>('issue-phase.ts', ['issue', ground.service])
    say(`${Math.round(cards / issued.seconds)} cards/s; memory by the second, MiB: ${issued.rssMiB.join(' ')}`)
    say('counting and proving')
    const checked = await runPhase<Checked>('issue-phase.ts', ['check', ground.service])
    if (checked.cards !== cards || checked.items !== cards)
      throw new Error(`${checked.cards} cards instead of ${cards}`)
    say('the driver alone')
    const raw = await runPhase<{ cards: number; seconds: number }>('raw-phase.ts', [
      ground.service,
      ground.raw,
      String(CONNECTIONS),
    ])
    if (raw.cards !== cards) throw new Error(`the driver wrote ${raw.cards} cards instead of ${cards}`)
    const [served, bare] = [cards / issued.seconds, cards / raw.seconds]
    return {
      cards,
      seconds: round(issued.seconds),
      cardsPerSecond: Math.round(served),
      rawRowsPerSecond: Math.round(bare),
      ratio: round(served / bare),
      p99SliceMs: round(issued.p99SliceMs),
      uniqueNumbers: checked.numbers,
      uniqueSecrets: checked.secrets,
      booksBalanced: checked.findings.length === 0,
      peakRssMiB: issued.peakRssMiB,
      durability: ground.durability,
    }
  } finally {
    await ground.remove()
  }
}

const round = (value: number): number => Math.round(value * 100) / 100
