import type { Id } from '../../../contract/ids.ts'
import type { WecomCallbackKeys } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readCallbackKeys } from './read-wecom-app.ts'

/** Whose callback address was called: an app's own, a suite's for commands, or a suite's for the inside of one corp. */
export type CallbackSource =
  | { readonly kind: 'app'; readonly companyId: Id<'company'> }
  | { readonly kind: 'command'; readonly suiteId: string }
  | { readonly kind: 'data'; readonly suiteId: string; readonly corpId: string }

/**
 * The keys of a callback address and the ids that its messages may be meant for (protocols wecom, 2.3). An address on
 * the provider's side is verified in the provider's own name; some have seen commands come in it too. Refuses with
 * `not_found` for an address that nobody set up.
 */
export async function readKeysOf(
  edge: Edge,
  source: CallbackSource,
  asks: 'echo' | 'event',
): Promise<WecomCallbackKeys> {
  const provider = edge.house.wecomProviderCorpId === null ? [] : [edge.house.wecomProviderCorpId]
  if (source.kind === 'app') {
    const keys = (await edge.read((tx) => readCallbackKeys(tx, source.companyId))) ?? refuse('not_found')
    return asks === 'echo' ? { ...keys, receiveIds: [...keys.receiveIds, ...provider] } : keys
  }
  const suite = edge.house.wecomSuites.find((one) => one.suiteId === source.suiteId) ?? refuse('not_found')
  const keys = { token: suite.token.reveal(), encodingAesKey: suite.encodingAesKey.reveal() }
  if (source.kind === 'command') return { ...keys, receiveIds: [suite.suiteId, ...provider] }
  return { ...keys, receiveIds: asks === 'echo' ? [source.corpId, ...provider] : [source.corpId] }
}
