import { expect, test } from 'vitest'
import { drain } from '../../../jobs/drain.ts'
import { handlers } from '../../../jobs/handlers.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WecomPort } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { noPorts } from '../../testing/uploads.ts'
import { sealPerson } from '../staff/seal-person.ts'
import { Person } from '../staff/tables.ts'

onBothDatabases('accounts of a provider app that differ by case alone', (database) => {
  test('both are named in the call; an answer that could mean either is left for a person', async () => {
    const company = await aCompany(database)
    const people = await database.tx(async (tx) => {
      await change(tx.em, "update wecom_connection set kind = 'customised', suite_id = 'dk1' where company_id = ?", [
        company.id,
      ])
      const rows = ['woAbC', 'woabc', 'woGone', 'woFine'].map((userid) => {
        const id = tx.newId('person')
        const facts = { name: userid, phone: null, staffNo: null, hireDate: null, note: null, userid }
        const state = { department: null, matched: 'listed', state: 'active', version: 1 } as const
        const columns = sealPerson(tx.house, 'exact', id, facts)
        return { id, companyId: company.id, ...columns, ...state, changedAtMs: tx.clock.now() }
      })
      await tx.em.insertMany(Person, rows)
      return rows.map((row): Id<'person'> => row.id)
    })
    await anIssuedCampaign(database, company, people)
    const named: string[] = []
    const port: Partial<WecomPort> = {
      send: async (_app, body) => {
        named.push(...(JSON.parse(body) as { touser: string }).touser.split('|'))
        return { messageId: 'm1', invalidUsers: ['woabc', 'wogone'], unlicensedUsers: [], responseCode: null }
      },
    }
    // No message leaves in minute 0 or 30.
    const now = (): number => Date.now() + (new Date().getMinutes() % 30 === 0 ? 61_000 : 0)
    const edge = database.edge({ ...noPorts, wecom: port as WecomPort }, undefined, now)
    await drain(edge, handlers, ['cards.deliver', 'batch.send', 'deliveries.send'])
    expect(named.toSorted()).toEqual(['woAbC', 'woFine', 'woGone', 'woabc'])
    const rows = await database.tx((tx) =>
      sql<{ state: string; reason: string | null }>(
        tx.em,
        'select delivery.state, delivery.reason from delivery join person on person.id = delivery.person_id order by person.id',
      ),
    )
    expect(rows.map(({ state, reason }) => [state, reason])).toEqual([
      ['failed', 'outcome_unknown'],
      ['failed', 'outcome_unknown'],
      ['failed', 'not_visible'],
      ['sent', null],
    ])
  })
})
