import { z } from 'zod'
import { checkPoints, WecomWizard } from '../../../contract/hr/wecom.ts'
import type { Tx } from '../../kernel/context.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readChecks } from './check-connection.ts'
import { readConnection } from './read-wecom-app.ts'

const Scope = WecomWizard.shape.connection.unwrap().shape.scope

/** How the acting company is connected, what the last look at each point found, and what WeCom's console asks for. */
export async function readWizard(tx: Tx): Promise<z.input<typeof WecomWizard>> {
  const companyId = companyOf(tx.actor)
  const facts = await readConnection(tx, companyId)
  const checks = readChecks(facts?.checks ?? null)
  const scope = Scope.safeParse(JSON.parse(facts?.scope ?? 'null'))
  return {
    connection: facts && { ...facts, scope: scope.success ? scope.data : null },
    checks: checkPoints.flatMap((point) => checks.find((one) => one.point === point) ?? []),
    callbackUrl: `${tx.house.publicUrl}/callback/wecom/${companyId}`,
    trustedDomain: new URL(tx.house.publicUrl).host,
    suites: tx.house.wecomSuites.map(({ suiteId, kind, name }) => ({ suiteId, kind, name })),
  }
}
