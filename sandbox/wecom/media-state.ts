export const mediaTypes = ['image', 'voice', 'video', 'file'] as const
export type MediaType = (typeof mediaTypes)[number]

/** A file that was uploaded; all apps of the company may use it for three days. */
export interface Media {
  readonly id: string
  readonly type: MediaType
  readonly name: string
  readonly mime: string
  readonly bytes: Buffer
  readonly untilMs: number
}
