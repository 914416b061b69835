import type { Edge } from '../../kernel/context.ts'
import { limits } from '../../../contract/limits.ts'
import { refuse } from '../../kernel/errors.ts'

/**
 * Looks at what somebody wrote on a card before anybody else can see it. Markup is text like any other: pages show it as it was
 * written. Refuses with `greeting_refused`, which names the field and never the word; a service that does not answer refuses for the
 * time being (`provider_unavailable`).
 */
export async function checkGreeting(edge: Pick<Edge, 'ports'>, text: string, field = 'greeting'): Promise<void> {
  if (Array.from(text).length > limits.giftGreetingCharacters)
    refuse('greeting_refused', {
      field,
      detail: {
        zh: `最多 ${limits.giftGreetingCharacters} 个字。`,
        en: `${limits.giftGreetingCharacters} characters at most.`,
      },
    })
  if (text.trim() !== '' && (await edge.ports.review.reviewText(text)) === 'refuse')
    refuse('greeting_refused', { field })
}
