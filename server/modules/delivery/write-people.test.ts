import { buffer } from 'node:stream/consumers'
import exceljs from 'exceljs'
import { expect, test } from 'vitest'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { writePeople } from './write-people.ts'

onBothDatabases('exporting the people of a campaign', (database) => {
  test('every head with state, reason and times by the company’s clocks; nothing runs as a formula; the trail knows', async () => {
    const company = await aCompany(database, { name: '青禾信息' })
    const people = Array.from({ length: 1200 }, (_, i) => ({ name: `员工${i}`, userid: `u${i}`, phone: null }))
    const personIds = await somePeople(database, company.id, [{ name: '=1+1', userid: 'x' }, ...people])
    const campaign = await anIssuedCampaign(database, company, personIds)
    const sentAtMs = Date.UTC(2026, 8, 25, 1, 5)
    await database.tx(async (tx) => {
      await change(tx.em, "update company set time_zone = 'America/New_York' where id = ?", [company.id])
      await change(
        tx.em,
        `insert into delivery (id, company_id, campaign_id, person_id, state, version, attempts, sent_at_ms) values (?, ?, ?, ?, 'sent', 1, 1, ?)`,
        [tx.newId('delivery'), company.id, campaign.id, personIds[0], sentAtMs],
      )
      await change(
        tx.em,
        `insert into delivery (id, company_id, campaign_id, person_id, state, version, attempts, reason) values (?, ?, ?, ?, 'failed', 1, 0, 'not_visible')`,
        [tx.newId('delivery'), company.id, campaign.id, personIds[1]],
      )
    })
    const hr = database.edge({} as Ports, company.as('hr'))
    const bytes = await buffer(await writePeople(hr, campaign.id, 'zh'))
    const book = new exceljs.Workbook()
    await book.xlsx.load(bytes as unknown as Parameters<typeof book.xlsx.load>[0])
    const sheet = book.worksheets[0]!
    expect(sheet.rowCount).toBe(2 + 1201)
    expect(sheet.getCell('A1').text).toMatch(/^青禾信息 · 林人事 于 \d{4}-\d\d-\d\d \d\d:\d\d 导出/)
    expect(sheet.getCell('A3').value).toBe("'=1+1")
    expect([sheet.getCell('E3').value, sheet.getCell('F3').value]).toEqual([500, '已送达'])
    expect(sheet.getCell('H3').value).toBe('2026-09-24 21:05')
    expect([sheet.getCell('F4').value, sheet.getCell('F5').value]).toEqual(['失败', '等待'])
    expect(sheet.getCell('G4').text).toContain('可见范围')
    const [kept] = await database.tx((tx) =>
      sql<{ actor: string }>(tx.em, "select actor from trail where act = 'campaign.exported'"),
    )
    expect(kept?.actor).toBe(company.members.hr)
    const stranger = database.edge({} as Ports, (await aCompany(database)).as('hr'))
    await expect(writePeople(stranger, campaign.id, 'zh')).rejects.toMatchObject({ code: 'not_found' })
  })
})
