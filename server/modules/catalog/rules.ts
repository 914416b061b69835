import { brokenCardRules, type CardRuleId } from '../../../contract/card-rules.ts'
import { refuse } from '../../kernel/errors.ts'

/** What decides which faces a template has. */
export interface Faces {
  /** JSON: the faces to choose from; empty: any in steps between minimum and maximum. */
  readonly faces: string
  readonly minFaceFen: number
  readonly maxFaceFen: number
  readonly stepFen: number
}

/** The fixed faces of a version; empty when it has steps between minimum and maximum instead. */
export function fixedFaces(version: Pick<Faces, 'faces'>): number[] {
  return JSON.parse(version.faces) as number[]
}

/** Whether a card of this version may have this face: one of the fixed ones, or a step from the minimum. */
export function faceAllowed(version: Faces, faceFen: number): boolean {
  const fixed = fixedFaces(version)
  if (fixed.length > 0) return fixed.includes(faceFen)
  if (faceFen < version.minFaceFen || faceFen > version.maxFaceFen) return false
  return (faceFen - version.minFaceFen) % version.stepFen === 0
}

export interface TemplateTerms {
  readonly named: boolean
  readonly faces: readonly number[]
  readonly minFaceFen: number
  readonly maxFaceFen: number
  readonly stepFen: number
  readonly validDays: number | null
  readonly coolingOffMs: number
  readonly rightMs: number
  readonly priceBp: number
}

const fieldOf: Readonly<Record<CardRuleId, string>> = {
  named_face: 'maxFaceFen',
  unnamed_face: 'maxFaceFen',
  named_no_expiry: 'validDays',
  unnamed_validity: 'validDays',
}

/**
 * Refuses terms that no card may have: `face_over_limit` for a face over the legal limit, `template_refused` with the
 * field for an expiry that the rules bar, a price over the face, or figures that do not fit each other.
 */
export function checkTerms(terms: TemplateTerms): void {
  const wrong = badFigure(terms)
  if (wrong !== null) refuse('template_refused', { field: wrong })
  const [broken] = brokenCardRules(terms, Math.max(terms.maxFaceFen, ...terms.faces))
  if (broken === 'named_face' || broken === 'unnamed_face') refuse('face_over_limit', { field: fieldOf[broken] })
  if (broken !== undefined) refuse('template_refused', { field: fieldOf[broken] })
}

/** The first field whose figure cannot be; null when all fit. */
function badFigure(terms: TemplateTerms): string | null {
  const { minFaceFen: min, maxFaceFen: max, faces, validDays } = terms
  const count = (value: number) => Number.isSafeInteger(value) && value >= 0
  const positive = (value: number) => count(value) && value > 0
  if (!positive(min)) return 'minFaceFen'
  if (!positive(max) || max < min) return 'maxFaceFen'
  if (!positive(terms.stepFen)) return 'stepFen'
  if (faces.some((face) => !count(face) || face < min || face > max) || new Set(faces).size !== faces.length)
    return 'faces'
  if (validDays !== null && !positive(validDays)) return 'validDays'
  if (!count(terms.coolingOffMs)) return 'coolingOffMs'
  if (!count(terms.rightMs)) return 'rightMs'
  if (!positive(terms.priceBp) || terms.priceBp > 10_000) return 'priceBp'
  return null
}
