import { afterEach, beforeEach, expect, test } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import { workOnce } from '../../../jobs/worker.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { change } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { openSuites, portsWith, suiteWecomOf, testProvider } from '../../testing/suites.ts'
import { startWeb, type Web } from '../../testing/web.ts'
import { companyEndpoints } from '../company/endpoints.ts'
import { connectWecom } from '../company/connect-wecom.ts'
import { activateLicences, countUnlicensed } from './activate-licences.ts'

const T0 = Date.UTC(2026, 8, 25, 2)
const suiteId = 'wwsuite'

onBothDatabases('licences', (database) => {
  let box: WecomSandbox
  let web: Web
  beforeEach(async () => {
    box = await startWecomSandbox({ now: () => T0 })
    const wecom = suiteWecomOf(database, box, () => T0)
    web = await startWeb(database, { endpoints: companyEndpoints, ports: { wecom }, now: () => T0 })
    await openSuites(database, box, web.base)
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  test('codes go to those who missed a message, once each; what WeCom does not take is told, the rest stays', async () => {
    const company = await aCompany(database, { sandbox: box })
    const wecom = suiteWecomOf(database, box, () => T0)
    const ports = portsWith(wecom)
    const edge = database.edge(ports, company.as('admin'), () => T0)
    await expect(activateLicences(edge, ['AAAA'])).rejects.toMatchObject({ code: 'state_conflict' })
    const personIds = await somePeople(
      database,
      company.id,
      ['hr', 'approver', 'finance'].map((userid) => ({ name: userid, userid })),
    )
    await anIssuedCampaign(database, company, personIds)
    const system = database.edge(ports, undefined, () => T0)
    const work = async () => {
      // Fixtures write their jobs by the real clock, which is ahead of this test's.
      const early = "update job set ready_at_ms = 0 where ready_at_ms > ? and kind <> 'settlement.plan'"
      await database.tx((tx) => change(tx.em, early, [T0]))
      for (const lane of ['small', 'bulk', 'small'] as const) while (await workOnce(system, handlers, lane));
    }
    await work()
    await database.tx((tx) => change(tx.em, "update delivery set state = 'failed', reason = 'unlicensed'"))
    await expect
      .poll(() => wecom.installUrl(suiteId, `${web.base}/hr/wecom/install-callback`, 'a').catch(() => null))
      .not.toBeNull()
    const url = await wecom.installUrl(suiteId, `${web.base}/hr/wecom/install-callback`, 'a')
    const form = new URLSearchParams({ corpId: company.wecom.corpId, range: 'all' })
    const back = await fetch(url, { method: 'POST', body: form, redirect: 'manual' })
    const authCode = new URL(back.headers.get('location')!).searchParams.get('auth_code')!
    const { corpId, permanentCode } = await wecom.permanentCode(suiteId, authCode)
    const { agentId } = await wecom.authInfo(suiteId, corpId, permanentCode)
    await database.tx((tx) =>
      connectWecom(tx, { companyId: company.id, kind: 'third_party', suiteId, corpId, agentId, secret: permanentCode }),
    )
    await work()
    expect(await edge.read(countUnlicensed)).toBe(3)
    const { activeCodes } = box.suites.buyLicences({ providerCorpId: testProvider.corpId, kind: 'base', count: 2 })
    expect(await activateLicences(edge, [...activeCodes, 'INVENTED1', 'INVENTED2'])).toMatchObject({
      activated: 2,
      unused: 1,
      refused: [{ count: 1 }],
    })
  })
})
