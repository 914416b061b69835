import ExcelJS from 'exceljs'
import { change } from '../server/kernel/sql.ts'
import { canaries as c } from './canaries.ts'
import type { OpenStage } from './stage.ts'
import { freshKey, Refused, Visitor } from './visitor.ts'

/** What became of a card that went through many hands. */
export interface Handed {
  /** Every secret that it ever had, as its holders read them. */
  readonly secrets: readonly string[]
  /** The tokens of links that its holders were given, by name. */
  readonly tokens: Readonly<Record<string, string>>
  /** What people were shown on the way. */
  readonly shown: unknown
  /** What HR carries away: the text of the files. */
  readonly exported: string
}

const agent = 'Mozilla/5.0 (iPhone) wxwork/4.1'

/** A card is read, given with words, claimed, thanked for, bound, lost and replaced: it has four secrets in all. */
export async function handCard(
  stage: OpenStage,
  hr: Visitor,
  { company, campaignId, cardId }: { readonly company: string; readonly campaignId: string; readonly cardId: string },
): Promise<Handed> {
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  await edge.tx((tx) => change(tx.em, 'update company set gift_depth = 1 where code = ?', [company]))
  const [giver, friend] = [new Visitor(stage.serverUrl, agent), new Visitor(stage.serverUrl, agent)]
  await giver.signIn('employee', company, c.userid)
  await friend.signIn('employee', company, c.correctedUserId)
  const card = `/employee/cards/${cardId}`
  const act = <T>(who: Visitor, path: string, json: unknown = {}) => who.call<T>(path, { json, key: freshKey() })
  const read = (who: Visitor) => act<{ number: string; secret: string }>(who, `${card}/secret`)
  const first = await read(giver)
  const given = await act<{ id: string; path: string }>(giver, `${card}/gifts`, {
    cover: 'thanks',
    greeting: c.giftGreeting,
  })
  const giftToken = given.path.split('/').at(-1) ?? ''
  const link = `/employee/gift-links/${giftToken}`
  const door = await new Visitor(stage.serverUrl).call(link)
  await act(friend, `${link}/opened`)
  await act(friend, `${link}/claim`)
  await act(friend, `${card}/thanks`, { text: c.thanks })
  const second = await read(friend)
  const bind = (who: Visitor, typed: { number: string; secret: string }) => act(who, '/employee/cards/bind', typed)
  await bind(giver, first).catch((error: unknown) => {
    if (!(error instanceof Refused)) throw error
  })
  await bind(giver, second)
  const third = await read(giver)
  const { path } = await act<{ path: string }>(giver, `${card}/device-links`)
  const deviceToken = path.split('/').at(-1) ?? ''
  const other = new Visitor(stage.serverUrl)
  await other.send(path)
  await act(other, '/employee/device-links/open', { token: deviceToken })
  await act(giver, `${card}/lost`)
  await act(giver, `${card}/reissue`)
  const fourth = await read(giver)
  const shown = { door, given: await giver.call(`/employee/gifts/${given.id}`), card: await giver.call(card) }
  const secrets = [first, second, third, fourth].map(({ secret }) => secret)
  if (new Set(secrets).size !== 4) throw new Error('a card kept a secret that somebody else had read')
  const files = [await exportOf(hr, `/hr/campaigns/${campaignId}/people.xlsx`), await exportOf(hr, '/hr/report.xlsx')]
  return { secrets, tokens: { giftToken, deviceToken }, shown, exported: files.join('\n') }
}

async function exportOf(hr: Visitor, path: string): Promise<string> {
  const answer = await hr.send(path)
  if (!answer.ok) throw new Error(`export: ${answer.status}`)
  const book = new ExcelJS.Workbook()
  await book.xlsx.load(await answer.arrayBuffer())
  const lines: string[] = []
  book.eachSheet((sheet) => sheet.eachRow((row) => void lines.push(JSON.stringify(row.values))))
  return lines.join('\n')
}
