import type { ListingSummary } from '../../../../contract/store/shelf.ts'

type Faces = Pick<ListingSummary, 'faces' | 'minFaceFen' | 'maxFaceFen' | 'stepFen'>

/** Why an amount cannot be had; null when it can. The server decides again (`face_refused`). */
export function faultOfFace(listing: Faces, faceFen: number | null): 'missing' | 'low' | 'high' | 'step' | null {
  if (faceFen === null) return 'missing'
  if (listing.faces.length > 0) return (listing.faces as readonly number[]).includes(faceFen) ? null : 'missing'
  if (faceFen < listing.minFaceFen) return 'low'
  if (faceFen > listing.maxFaceFen) return 'high'
  return (faceFen - listing.minFaceFen) % listing.stepFen === 0 ? null : 'step'
}

/** The amount one step further up or down, kept within the limits and on the step. */
export function stepped(listing: Faces, faceFen: number | null, steps: 1 | -1): number {
  const { minFaceFen, maxFaceFen, stepFen } = listing
  const at = Math.min(maxFaceFen, Math.max(minFaceFen, faceFen ?? minFaceFen)) - minFaceFen
  const whole = steps > 0 ? Math.floor(at / stepFen) + 1 : Math.ceil(at / stepFen) - 1
  const most = Math.floor((maxFaceFen - minFaceFen) / stepFen)
  return minFaceFen + Math.min(most, Math.max(0, whole)) * stepFen
}

const usual = [5_000, 10_000, 20_000, 30_000, 50_000, 100_000, 200_000]
/** A few amounts worth a tap of their own: the smallest, round ones between, the greatest. */
export function suggested(listing: Faces): readonly number[] {
  const round = usual.filter(
    (one) => one > listing.minFaceFen && one < listing.maxFaceFen && faultOfFace(listing, one) === null,
  )
  const most = stepped(listing, listing.maxFaceFen, 1)
  return [...new Set([listing.minFaceFen as number, ...round.slice(0, 4), most])]
}
