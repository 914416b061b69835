import { PlatformFile } from '../contract/operator/platform-file.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Visitor } from './visitor.ts'

/** Somebody with every role, and an employee, of another company that has a WeCom of its own on the same sandbox. */
export async function makeStrangers(stage: OpenStage): Promise<{ hr: Visitor; employee: Visitor; roster: string }> {
  const corp = { corpId: 'wwother', agentId: 1_000_009, secret: 'other-secret' }
  const members = ['boss', 'worker'].map((userid) => ({ userid, name: `乙${userid}`, mobile: null }))
  await step.fillDirectory({ ...stage, corp }, members)
  const roles = ['hr', 'approver', 'finance', 'admin']
  const company = { code: 'other', name: '乙公司', wecom: corp, members: [{ name: '乙', userid: 'boss', roles }] }
  await applyPlatform(
    stage.running.open.edgeFor({ kind: 'system', name: 'test' }),
    PlatformFile.parse({ companies: [company] }),
    false,
  )
  const hr = await step.memberOf(stage, 'boss', 'other')
  const list = Buffer.from('姓名,企业微信账号\n乙工,worker\n', 'utf8')
  const roster = await step.uploadRoster(hr, 'other.csv', list)
  await step.waitRoster(hr, roster, ['ready'])
  await step.applyRoster(hr, roster)
  const employee = new Visitor(stage.serverUrl, 'Mozilla/5.0 (iPhone) wxwork/4.1')
  await employee.signIn('employee', 'other', 'worker')
  return { hr, employee, roster }
}
