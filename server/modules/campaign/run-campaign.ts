import type { Id } from '../../../contract/ids.ts'
import { campaignMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'

/** approved -> running, with the first cards. False when it was not `approved` (any more): a repeat changes nothing. */
export async function startCampaign(tx: Tx, id: Id<'campaign'>): Promise<boolean> {
  return move(tx, { table: 'campaign', id, from: 'approved', to: 'running', moves: campaignMoves })
}

/** running -> finished, when every head was reached or given up. False when it was not `running` (any more). */
export async function finishCampaign(tx: Tx, id: Id<'campaign'>): Promise<boolean> {
  return move(tx, { table: 'campaign', id, from: 'running', to: 'finished', moves: campaignMoves })
}
