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

/** Asks for paths before the program is there; the answers wait for it. */
export function askEarly(paths: readonly string[]): Map<string, Promise<Response>> {
  const asked = new Map(paths.map((path) => [path, ask(path)] as const))
  ;(globalThis as EarlyReads).fulikaEarly = asked
  return asked
}

function ask(path: string): Promise<Response> {
  const answer = fetch(path, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })
  // Whoever takes it learns of a failure; taken by nobody, it is none.
  answer.catch(() => undefined)
  return answer
}
