import { fen } from '../../../../contract/fen.ts'
import type { CampaignContent, TemplateView, occasions } from '../../../../contract/hr/campaign.ts'

export type Occasion = (typeof occasions)[number]

/** The words a greeting and a title start with, per occasion; they come from the locale files. */
export interface StartingWords {
  readonly title: (occasion: Occasion) => string
  readonly greeting: (occasion: Occasion) => string
}

/** The cover that belongs to an occasion. */
function coverOf(occasion: Occasion): CampaignContent['cover'] {
  return occasion === 'other' ? 'plain' : occasion
}

/** The festival that comes next, by the month: a first guess that one click changes. */
function nextOccasion(nowMs: number): Occasion {
  const month = new Date(nowMs).getMonth() + 1
  if (month >= 11 || month <= 2) return 'spring_festival'
  if (month <= 6) return 'dragon_boat'
  return month <= 10 ? 'mid_autumn' : 'other'
}

/** A first draft: the next festival, the first card at its first face, the newest list. */
export function startContent(
  template: TemplateView,
  rosterId: CampaignContent['rosterId'],
  words: StartingWords,
  nowMs: number,
): CampaignContent {
  const occasion = nextOccasion(nowMs)
  return {
    title: words.title(occasion),
    occasion,
    cover: coverOf(occasion),
    templateVersionId: template.versionId,
    rosterId,
    selection: { kind: 'all' },
    amountFrom: 'same',
    faceFen: firstFace(template),
    greeting: words.greeting(occasion),
    sendAtMs: null,
  }
}

/** The first of the fixed faces; of a range 200 yuan, or the end of it that is nearest. */
export function firstFace(template: TemplateView): TemplateView['minFaceFen'] {
  const { faces, minFaceFen, maxFaceFen } = template
  const usual = fen(Math.min(Math.max(20_000, minFaceFen), maxFaceFen))
  return faces[0] ?? (faceFits(template, usual) ? usual : minFaceFen)
}

/** Whether a face may be chosen with this card. */
export function faceFits(template: TemplateView, faceFen: number | null): boolean {
  if (faceFen === null) return false
  if (template.faces.length > 0) return template.faces.some((face) => face === faceFen)
  const { minFaceFen, maxFaceFen, stepFen } = template
  return faceFen >= minFaceFen && faceFen <= maxFaceFen && (stepFen === 0 || (faceFen - minFaceFen) % stepFen === 0)
}

/** Another occasion takes its own cover along, and its own words where the person had not written others. */
export function withOccasion(content: CampaignContent, occasion: Occasion, words: StartingWords): CampaignContent {
  const old = content.occasion
  return {
    ...content,
    occasion,
    cover: content.cover === coverOf(old) ? coverOf(occasion) : content.cover,
    title: content.title === words.title(old) ? words.title(occasion) : content.title,
    greeting: content.greeting === words.greeting(old) ? words.greeting(occasion) : content.greeting,
  }
}

/** Another card keeps the face where the card has it. */
export function withTemplate(content: CampaignContent, template: TemplateView): CampaignContent {
  const fits = faceFits(template, content.faceFen)
  return {
    ...content,
    templateVersionId: template.versionId,
    faceFen: fits ? content.faceFen : firstFace(template),
  }
}

/** Whether anybody is chosen: from a list, or people by themselves. */
export function choosesPeople({ rosterId, selection }: CampaignContent): boolean {
  return rosterId !== null || selection.kind === 'people'
}

/** Whether the server would take it as it stands: the same bounds as the contract's. */
export function isComplete(content: CampaignContent): boolean {
  const title = content.title.trim()
  if (title.length === 0 || title.length > 60 || content.greeting.length > 300) return false
  if (content.amountFrom === 'same' && (content.faceFen ?? 0) <= 0) return false
  if (content.selection.kind === 'departments' && content.selection.departments.length === 0) return false
  return content.selection.kind !== 'rows' || content.selection.rowIds.length > 0
}
