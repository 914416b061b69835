import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { inGroups } from '../../kernel/in-groups.ts'
import { useUp } from '../../kernel/once.ts'
import { trailMany } from '../../kernel/trail.ts'

/** What a sign-in writes on its way: its state is spent before WeCom is asked anything, and who came in is told after. */
export type SignInStep =
  { readonly kind: 'spend'; readonly state: string } | { readonly kind: 'signed_in'; readonly memberId: Id<'member'> }

/**
 * Writes one step of a sign-in. Everybody's steps of a moment share one commit: a shift that signs in at once would wait
 * for the disk longer than for WeCom. True, but for a state that was spent before, in whatever process: it counts once.
 */
export const writeSignIn: (edge: Edge, step: SignInStep) => Promise<boolean> = inGroups(
  async (tx, steps: readonly SignInStep[]) => {
    const states = steps.flatMap((step) => (step.kind === 'spend' ? [step.state] : []))
    const firsts = (await useUp(tx, 'sign-in', states)).values()
    const members = steps.flatMap((step) => (step.kind === 'signed_in' ? [step.memberId] : []))
    await trailMany(
      tx,
      members.map((objectId) => ({ objectId, act: 'member.signed_in' })),
    )
    return steps.map((step) => step.kind === 'signed_in' || firsts.next().value === true)
  },
)
