import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { linkIndexOf } from './seal-contact.ts'

/** Where a claim begins: a QR code on a wall, or a link for one person. */
export interface Door {
  readonly kind: 'way' | 'link'
  readonly id: Id<'contactWay'> | Id<'claimLink'>
  readonly companyId: Id<'company'>
  readonly campaignId: Id<'campaign'>
  /** Whose link it is; null for a wall. */
  readonly personId: Id<'person'> | null
  readonly site: string | null
  /** False once it was removed, used, ended or has run out; nobody is told which. */
  readonly open: boolean
}
export interface DoorKey {
  readonly kind: Door['kind']
  readonly token: string
}

/** The door with this token, open or not; null when there never was one, or the company is suspended. */
export async function findDoor(tx: Tx, key: DoorKey): Promise<Door | null> {
  return key.kind === 'way' ? findWay(tx, key.token) : findLink(tx, key.token)
}

async function findWay(tx: Tx, token: string): Promise<Door | null> {
  const [row] = await sql<Omit<Door, 'kind' | 'personId' | 'open'> & { state: string }>(
    tx.em,
    `select way.id as id, way.company_id as companyId, way.campaign_id as campaignId, way.site as site, way.state as state
      from contact_way way join company on company.id = way.company_id and company.state = 'active'
      where way.token = ?`,
    [token],
  )
  // A QR code that WeCom has not made yet, or could not make, is a way to the claim page all the same.
  return row === undefined ? null : { ...row, kind: 'way', personId: null, open: row.state !== 'removed' }
}

async function findLink(tx: Tx, token: string): Promise<Door | null> {
  const [row] = await sql<Omit<Door, 'kind' | 'site' | 'open'> & { state: string; expiresAtMs: unknown }>(
    tx.em,
    `select link.id as id, link.company_id as companyId, link.campaign_id as campaignId, link.person_id as personId,
        link.state as state, link.expires_at_ms as expiresAtMs
      from claim_link link join company on company.id = link.company_id and company.state = 'active'
      where link.token_index = ?`,
    [linkIndexOf(tx.house, token)],
  )
  if (row === undefined) return null
  const { state, expiresAtMs, ...rest } = row
  return { ...rest, kind: 'link', site: null, open: state === 'live' && readSum(expiresAtMs) > tx.clock.now() }
}
