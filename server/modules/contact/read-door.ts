import type { ClaimDoor } from '../../../contract/employee/claim.ts'
import { covers } from '../../../contract/hr/campaign.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { countMore } from './count-guesses.ts'
import { findDoor, type DoorKey } from './find-door.ts'
import { inGroups } from '../../kernel/in-groups.ts'

/** The one window in which the visits of a QR code are counted: all of them. */
const ALL_TIME = 0
export const visitsName = (wayId: string): string => `contact-way.visits:${wayId}`

/**
 * Whose occasion a claim page is about; a visit of a wall's page is counted. Refuses with `claim_closed` for a token that
 * never was, was removed, used or has run out: one answer for all of them.
 */
export async function readDoor(edge: Edge, key: DoorKey): Promise<ClaimDoor> {
  const { door, shown } = await edge.read(async (tx) => {
    const found = await findDoor(tx, key)
    return found?.open ? { door: found, shown: await present(tx, key, found) } : refuse('claim_closed')
  })
  if (door.kind === 'way') await countVisit(edge, door.id)
  return shown
}

async function present(
  tx: Tx,
  key: DoorKey,
  door: NonNullable<Awaited<ReturnType<typeof findDoor>>>,
): Promise<ClaimDoor> {
  const company = (await readCompany(tx, door.companyId)) ?? refuse('claim_closed')
  const campaign = (await readCampaign(tx, door.campaignId)) ?? refuse('claim_closed')
  return {
    companyName: company.name,
    companyCode: company.code,
    campaignId: campaign.id,
    title: campaign.title,
    cover: covers.find((cover) => cover === campaign.cover) ?? 'plain',
    site: door.site,
    identifies: key.kind === 'way' && (await readWecomApp(tx, company.id)) !== null,
    sandbox: tx.house.sandbox,
  }
}

const countVisit = inGroups(async (tx, ids: readonly string[]) => {
  const visits = new Map<string, number>()
  for (const id of ids) visits.set(visitsName(id), (visits.get(visitsName(id)) ?? 0) + 1)
  await countMore(tx, visits, ALL_TIME)
  return ids.map(() => undefined)
})
