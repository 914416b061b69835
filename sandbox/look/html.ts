/** A piece of HTML that is safe to send: made by `html`, which escapes every text that is put into it. */
export interface Markup {
  readonly markup: string
}
type Part = string | number | Markup | null | readonly Markup[]

/** Text made safe for element content and quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)
}

/** Builds HTML: values are escaped, markup and lists of markup are put in as they are, null is nothing. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const markup = texts
    .map((text, index) => text + (index < parts.length ? partText(parts[index] ?? null) : ''))
    .join('')
  return { markup }
}

function partText(part: Part): string {
  if (part === null) return ''
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  if ('markup' in part) return part.markup
  return part.map((one) => one.markup).join('')
}
