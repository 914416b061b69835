import { randomInt } from 'node:crypto'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Edge } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import type { Holder } from '../../modules/card/read-card.ts'
import { revealSecret } from '../../modules/card/reveal-secret.ts'
import { claimGift } from '../../modules/gift/claim-gift.ts'
import { returnGift, withdrawGift } from '../../modules/gift/end-gift.ts'
import { offerGift } from '../../modules/gift/offer-gift.ts'
import { readGivenGift } from '../../modules/gift/read-gifts.ts'
import type { Contest, RacingPair } from './contest.ts'
import { takeBack } from './refund-hold.ts'
import { makeRunners, type RaceStage, type Runner } from './stage.ts'

interface Offered {
  readonly giver: Holder
  readonly giftId: Id<'gift'>
  readonly token: string
}
const friends = [encodeId('person', 900_001n), encodeId('person', 900_002n)] as const

async function prepare(stage: RaceStage, count: number): Promise<Runner[]> {
  await stage.edge().tx((tx) => change(tx.em, 'update company set gift_depth = 1 where id = ?', [stage.company.id]))
  return makeRunners(stage, 'wallet', count)
}

async function holderOf(stage: RaceStage, { cardId }: Runner): Promise<Holder> {
  const [card] = await stage
    .edge()
    .read((tx) =>
      sql<{ holderId: Id<'person'> }>(tx.em, 'select holder_id as holderId from card where id = ?', [cardId]),
    )
  return { companyId: stage.company.id, holderId: card!.holderId }
}

const wishOf = ({ cardId }: Runner) => ({ cardId, cover: 'plain', greeting: '' }) as const

async function offered(stage: RaceStage, runner: Runner): Promise<Offered> {
  const giver = await holderOf(stage, runner)
  return stage.edge().tx(async (tx) => {
    const giftId = await offerGift(tx, giver, wishOf(runner))
    const { path } = await readGivenGift(tx, giver, giftId)
    return { giver, giftId, token: path!.split('/').at(-1)! }
  })
}

/** False where one of these refusals came. */
async function unless(codes: readonly string[], work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof AppError && codes.includes(error.code)) return false
    throw error
  }
}

const claims = (edge: Edge, { giver, token }: Offered, holderId: Id<'person'>): Promise<boolean> =>
  unless(['gift_closed'], () => edge.tx((tx) => claimGift(tx, { companyId: giver.companyId, holderId }, token)))

const oneOf = ({ first, second }: Readonly<Record<'first' | 'second', boolean>>): string[] =>
  first || second ? [] : ['neither']

/** A friend claims what is offered while something else becomes of it. */
const whileClaimed = (
  rival: (stage: RaceStage, gift: Offered) => Pick<Contest, 'second'> & Partial<Contest>,
): RacingPair => ({
  coolingOffMs: 0,
  mostBehindMs: 20,
  prepare,
  contest: async (stage, runner): Promise<Contest> => {
    const gift = await offered(stage, runner)
    const first = (edge: Edge): Promise<boolean> => claims(edge, gift, friends[0])
    return { of: runner.cardId, first, wrong: oneOf, ...rival(stage, gift) }
  },
})

/** Two friends turn the same cover. */
export const friendAndFriend = whileClaimed((_stage, gift) => ({
  second: (edge) => claims(edge, gift, friends[1]),
}))

/** A friend claims while the giver takes it back. */
export const claimAndWithdraw = whileClaimed((_stage, gift) => ({
  second: (edge) => unless(['gift_closed'], () => edge.tx((tx) => withdrawGift(tx, gift.giver, gift.giftId))),
}))

/** A friend claims around the very millisecond at which the house returns it; who is in its right says each one's clock. */
export const claimAndReturn = whileClaimed((stage, gift) => {
  const end = stage.pay.clock.now() + limits.giftMs
  const clocks = { first: end + randomInt(-1, 1), second: end + randomInt(-1, 1) }
  const mayWin = { first: clocks.first < end, second: clocks.second >= end }
  return {
    clocks,
    mayWin,
    second: async (edge) => {
      await edge.tx((tx) => returnGift(tx, gift.giftId))
      const [row] = await edge.read((tx) =>
        sql<{ state: string }>(tx.em, 'select state from gift where id = ?', [gift.giftId]),
      )
      return row?.state === 'returned'
    },
    wrong: ({ first, second }) => {
      if (first && !mayWin.first) return ['claimed after its end']
      if (second && !mayWin.second) return ['returned before its end']
      return !first && !second && (mayWin.first || mayWin.second) ? ['neither, though one was in its right'] : []
    },
  }
})

/** HR takes a card's money back while its holder passes it on. */
export const refundAndGift: RacingPair = {
  coolingOffMs: 0,
  mostBehindMs: 50,
  prepare,
  contest: async (stage, runner): Promise<Contest> => {
    const giver = await holderOf(stage, runner)
    const codes = ['card_ended', 'card_not_giftable']
    return {
      of: runner.cardId,
      first: (edge) => takeBack(edge, runner, false),
      second: (edge) => unless(codes, () => edge.tx((tx) => offerGift(tx, giver, wishOf(runner)))),
      wrong: oneOf,
    }
  },
}

/** The holder reads the secret while HR takes the money back: a secret that is shown is of a card that was good then. */
export const refundAndReveal: RacingPair = {
  coolingOffMs: 0,
  mostBehindMs: 50,
  prepare,
  contest: async (stage, runner): Promise<Contest> => {
    const holder = await holderOf(stage, runner)
    const revealed = { beforeTheEnd: false }
    return {
      of: runner.cardId,
      first: (edge) => takeBack(edge, runner, false),
      // Reading it takes nothing from anybody: what must not be is that it is read after the end.
      second: async (edge) => {
        const shown = await unless(['card_ended'], () =>
          edge.tx(async (tx) => {
            await revealSecret(tx, holder, runner.cardId)
            const [card] = await sql<{ state: string }>(tx.em, 'select state from card where id = ?', [runner.cardId])
            revealed.beforeTheEnd = card?.state === 'active'
          }),
        )
        return shown && !revealed.beforeTheEnd
      },
      mayWin: { first: true, second: false },
      wrong: ({ first, second }) => [...(first ? [] : ['not taken back']), ...(second ? ['read after its end'] : [])],
    }
  },
}
