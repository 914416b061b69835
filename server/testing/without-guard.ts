import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A guard of the money, by name, and how the modules that hold it would read without it. */
export interface Guarded {
  readonly name: string
  readonly patches: readonly { readonly file: string; readonly is: string; readonly becomes: string }[]
}

const root = new URL('../../', import.meta.url).href

/**
 * From here on, in this process alone, `import('x.ts?without=NAME')` reads a module of ours as if the guard of that name
 * were not there, and so all that it imports; what is not ours is read once. Nothing of the house can be told to leave a
 * guard out. Throws, when it is read, on a module that does not have the text of the guard exactly once.
 */
export function readWithoutGuards(guards: readonly Guarded[]): void {
  const texts = new Map<string, string>()
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context)
      const without = new URL(context.parentURL ?? root).searchParams.get('without')
      if (without === null || !found.url.startsWith(root) || found.url.includes('/node_modules/')) return found
      return { ...found, url: `${found.url.split('?')[0]}?without=${without}` }
    },
    load: (url, context, next) => {
      const without = new URL(url).searchParams.get('without')
      if (without === null) return next(url, context)
      const path = fileURLToPath(url.split('?')[0]!)
      const text = texts.get(path) ?? readFileSync(path, 'utf8')
      texts.set(path, text)
      const guard = guards.find((one) => one.name === without)
      if (!guard) throw new Error(`no such guard: ${without}`)
      return { format: 'module', source: stripTypeScriptTypes(textWithout(guard, path, text)), shortCircuit: true }
    },
  })
}

function textWithout(guard: Guarded, path: string, text: string): string {
  const own = guard.patches.filter((patch) => path.endsWith(`/${patch.file}`))
  return own.reduce((before, { is, becomes }) => {
    if (before.split(is).length !== 2) throw new Error(`${guard.name}: ${path} does not have this once: ${is}`)
    return before.replace(is, () => becomes)
  }, text)
}
