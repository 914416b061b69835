/** Questions to the server that a page asked before its program was there, by their paths. */
export interface EarlyReads {
  fulikaEarly?: Map<string, Promise<Response>>
}

/** The answer that was asked for early; once, for whoever asks again wants to know what is true now. */
export function takeEarly(path: string): Promise<Response> | null {
  const begun = (globalThis as EarlyReads).fulikaEarly
  const answer = begun?.get(path) ?? null
  begun?.delete(path)
  return answer
}
