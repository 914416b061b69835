import { setTimeout as sleep } from 'node:timers/promises'
import type { WecomApp, WecomWelcome } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { readCompany } from '../company/read-company.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import type { ContactRow } from './keep-contact.ts'
import { contactLimits, cutToBytes } from './rules.ts'
import { contactTicketOf } from './seal-contact.ts'
import { ContactWay } from './tables.ts'

export type Welcomed = 'sent' | 'late' | 'taken' | 'failed'

const TOO_LATE = '41050'
const GREETED = '41051'
/** The customer has not agreed to archiving: msg_audit_approved brings a code of its own (protocols wecom 6.3). */
const NOT_AGREED = '41053'
/** Between two tries inside the 20 seconds: another app is sending, or no answer came. */
const PAUSE_MS = 1_000

/**
 * Greets a contact who came by one of our QR codes, with the link to the claim page: one call, within 20 seconds after
 * the event came (protocols wecom 6.3). Contacts who came otherwise are left to other apps. What became of it is
 * recorded, and a later event with a code of its own tries again where nobody was greeted: the contact has confirmed,
 * or has agreed to the archiving of chats. Whoever was not greeted still has the page on the wall.
 */
export async function greetContact(
  edge: Edge,
  contact: ContactRow,
  code: { readonly welcomeCode: string; readonly receivedAtMs: number },
): Promise<void> {
  if (contact.welcome === 'sent' || contact.welcome === 'taken') return
  const words = await edge.read((tx) => wordsFor(tx, contact))
  if (words === null) return
  const untilMs = code.receivedAtMs + contactLimits.welcomeMs
  const became = await send(edge, words.app, { code: code.welcomeCode, welcome: words.welcome, untilMs })
  if (became === 'waits') return
  await edge.tx((tx) =>
    change(
      tx.em,
      "update external_contact set welcome = ? where id = ? and (welcome is null or welcome in ('late', 'failed'))",
      [became, contact.id],
    ),
  )
}

async function send(
  edge: Edge,
  app: WecomApp,
  greeting: { readonly code: string; readonly welcome: WecomWelcome; readonly untilMs: number },
): Promise<Welcomed | 'waits'> {
  let doubtful = false
  while (edge.clock.now() < greeting.untilMs) {
    try {
      await edge.ports.wecom.sendWelcome(app, greeting.code, greeting.welcome)
      return 'sent'
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      edge.log.warn({ code: error.code, outcome: error.outcome }, 'a welcome message was not taken')
      if (error.code === TOO_LATE) return 'late'
      if (error.code === NOT_AGREED) return 'waits'
      // An earlier call of ours may have been the one that greeted.
      if (error.code === GREETED) return doubtful ? 'sent' : 'taken'
      if (error.outcome === 'refused' || error.outcome === 'broken') return 'failed'
      doubtful ||= error.outcome === 'unknown'
      const wait = Math.max(PAUSE_MS, error.outcome === 'busy' ? error.retryAfterMs : 0)
      if (edge.clock.now() + wait >= greeting.untilMs) return 'late'
      await sleep(wait)
    }
  }
  return 'late'
}

/** The greeting of the campaign that a contact came for; null where they came by no live QR code of ours. */
async function wordsFor(tx: Tx, contact: ContactRow): Promise<{ app: WecomApp; welcome: WecomWelcome } | null> {
  const id = contact.contactWayId ?? null
  const way = id && (await tx.em.findOne(ContactWay, { id }, { disableIdentityMap: true }))
  if (!way || way.state === 'removed') return null
  const app = await readWecomApp(tx, way.companyId)
  const company = await readCompany(tx, way.companyId)
  const campaign = await readCampaign(tx, way.campaignId)
  if (app === null || company === null || campaign === null) return null
  const url = claimUrlOf(tx.house.publicUrl, way.token, contactTicketOf(tx.house, contact.id))
  return { app, welcome: welcomeOf(company.name, campaign.title, url) }
}

/** Where a claim begins; with the ticket of the contact that it was sent to. */
export const claimUrlOf = (publicUrl: string, token: string, ticket?: string): string =>
  `${publicUrl}/pack/claim/${token}${ticket === undefined ? '' : `?contact=${ticket}`}`

/** Within WeCom's bounds: text 4,000 bytes, title 128, description 512 (protocols wecom 6.3). */
const welcomeOf = (company: string, title: string, url: string): WecomWelcome => ({
  text: `您好，${company}为您准备了「${title}」。点开下面的卡片，用名单上的手机号收一个验证码，就能领到自己的福利卡。`,
  link: {
    title: cutToBytes(`领取${title}`, 128),
    desc: cutToBytes(`${company} · 手机号验证后即可领取，约一分钟`, 512),
    url,
    picUrl: null,
  },
})
