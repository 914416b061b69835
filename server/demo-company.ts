import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import { readStaffList } from '../importers/staff-list.ts'
import { applyPlatform } from './apply-platform.ts'
import type { Outside } from './house.ts'
import type { Edge } from './kernel/context.ts'
import { createOperator } from './modules/company/create-operator.ts'
import { findOperatorByKey } from './modules/company/read-operator.ts'

const yuan = (amount: number): number => amount * 100
/** The people who use the demo company's console; their userids sign in on the sandbox. */
const demoMembers = [
  { name: '林晓', userid: 'linxiao', roles: ['hr'] },
  { name: '周敏', userid: 'zhoumin', roles: ['approver'] },
  { name: '陈立', userid: 'chenli', roles: ['finance'] },
  { name: '管理员', userid: 'admin', roles: ['admin'] },
]

/** What the demo starts with, in the form of an operator's file. The company may pay by WeChat (`non_cash`). */
function demoFile(outside: Outside): PlatformFile {
  const [first, second] = outside.world.merchants
  const collects = (merchant: typeof first) =>
    merchant === undefined ? null : { mchid: merchant.mchid, appid: merchant.appid }
  const card = { named: true, stepFen: 1, validDays: null, scope: '全国门店及线上商城通用，不兑现' }
  return PlatformFile.parse({
    companies: [
      {
        code: 'demo',
        name: '青禾制造（演示）',
        paymentRoute: 'non_cash',
        wecom: outside.world.wecom,
        members: demoMembers,
      },
    ],
    brands: [
      {
        name: '青禾优选',
        issuerPrefix: '6230',
        wechatPay: collects(first),
        templates: [
          { ...card, name: '节日礼品卡', minFaceFen: yuan(1), maxFaceFen: yuan(5000), cover: 'mid_autumn' },
          {
            ...card,
            name: '生日卡',
            faces: [yuan(200), yuan(300), yuan(500)],
            minFaceFen: yuan(200),
            maxFaceFen: yuan(500),
            cover: 'birthday',
          },
        ],
      },
      {
        name: '沐光咖啡',
        issuerPrefix: '6231',
        wechatPay: collects(second),
        templates: [
          {
            ...card,
            name: '咖啡畅饮卡',
            named: false,
            validDays: 1095,
            minFaceFen: yuan(30),
            maxFaceFen: yuan(1000),
            cover: 'thanks',
            scope: '沐光咖啡直营门店',
          },
        ],
      },
    ],
  })
}

/**
 * Makes the sandbox usable at once: the demo company, its brands, the platform operator, and in the sandbox's WeCom the
 * console's people and those of the sample list. A second time it changes nothing.
 */
export async function prepareDemo(edge: Edge, outside: Outside): Promise<void> {
  await applyPlatform(edge, demoFile(outside), false)
  await edge.tx(async (tx) => {
    const key = outside.world.operatorKey
    if ((await findOperatorByKey(tx, key)) === null)
      await createOperator(tx, { name: '平台运营', roles: ['ops', 'risk', 'finance', 'admin'], key })
  })
  await fillDirectory(outside, new URL(edge.house.publicUrl).host)
}

/** Puts the people of samples/rosters/clean-200.xlsx into the sandbox's WeCom, as a company would have them there. */
async function fillDirectory(outside: Outside, trusted: string): Promise<void> {
  const path = join(import.meta.dirname, '../samples/rosters/clean-200.xlsx')
  const list = await readStaffList(await readFile(path), { fileName: 'clean-200.xlsx' })
  const staff = list.people.flatMap((person, index) => {
    const userid = person.wecomUserId ?? (person.phone === null ? null : `staff${index + 1}`)
    return userid === null ? [] : [{ userid, name: person.name, mobile: person.phone }]
  })
  const { corpId, agentId, secret } = outside.world.wecom
  const members = [...demoMembers.map(({ userid, name }) => ({ userid, name, mobile: null })), ...staff]
  const answer = await fetch(`${outside.wecomUrl}/__ctl/corps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ corpId, agentId, secret, accountLimit: 20_000, trustedDomains: [trusted], members }),
  })
  if (!answer.ok) throw new Error(`the sandbox's WeCom does not take its people: ${answer.status}`)
}
