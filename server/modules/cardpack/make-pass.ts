import type { CardDetail } from '../../../contract/employee/pack.ts'
import type { Lang } from '../../../contract/error-codes.ts'
import { formatYuan } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { wallAt } from '../../../contract/wall-clock.ts'
import type { WalletCard } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { holderOf, packPathOf, readCard, readZone } from './read-pack.ts'

/** The middle of each cover, dark enough for white letters. */
const colours: Readonly<Record<CardDetail['cover'], string>> = {
  mid_autumn: 'rgb(29, 42, 91)',
  spring_festival: 'rgb(168, 21, 31)',
  dragon_boat: 'rgb(13, 92, 74)',
  birthday: 'rgb(160, 52, 94)',
  anniversary: 'rgb(58, 42, 23)',
  thanks: 'rgb(15, 95, 115)',
  plain: 'rgb(0, 71, 189)',
}

const words = {
  zh: {
    description: '福利卡',
    balance: (time: string) => `余额（截至 ${time}）`,
    number: '卡号',
    until: '有效期至',
    noEnd: '长期有效',
    scope: '使用范围',
    scan: '扫码打开卡包，查看余额和付款码',
    note: '说明',
    noteText: '这里的余额不会自动更新，付款请打开卡包出示付款码。',
    open: '打开卡包',
  },
  en: {
    description: 'Benefits card',
    balance: (time: string) => `Balance at ${time}`,
    number: 'Card number',
    until: 'Valid until',
    noEnd: 'No end',
    scope: 'Where it counts',
    scan: 'Scan to open the card pack',
    note: 'Note',
    noteText: 'The balance here does not change by itself. To pay, open the card pack and show its code.',
    open: 'Open the card pack',
  },
} as const

/**
 * A card of the person who asks as a signed pass for Apple's Wallet. It holds no secret and no code to pay with: its QR code
 * opens the card pack. Refuses with `not_found` for anybody else's card, and where no certificate is configured or it has ended.
 */
export async function makePass(edge: Edge, cardId: Id<'card'>, lang: Lang): Promise<Buffer> {
  const now = edge.clock.now()
  if ((edge.house.passesUntilMs ?? 0) <= now) refuse('not_found')
  const { card, timeZone } = await edge.read(async (tx) => ({
    card: await readCard(tx, cardId),
    timeZone: await readZone(tx, holderOf(tx.actor)),
  }))
  if (card.view === 'locked') refuse('card_locked')
  return edge.ports.pass.write(
    passOf(card, {
      lang,
      timeZone,
      now,
      link: `${edge.house.publicUrl}${packPathOf(holderOf(edge.actor))}/cards/${card.id}`,
    }),
  )
}

function passOf(
  card: CardDetail,
  { lang, timeZone, now, link }: { lang: Lang; timeZone: string; now: number; link: string },
): WalletCard {
  const say = words[lang]
  const { day, minute } = wallAt(now, timeZone)
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = `${day} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`
  const until = card.expiresAtMs === null ? say.noEnd : wallAt(card.expiresAtMs - 1, timeZone).day
  return {
    serialNumber: card.id,
    organizationName: card.brandName,
    description: `${card.brandName} ${say.description}`,
    logoText: card.brandName,
    backgroundColor: colours[card.cover],
    foregroundColor: 'rgb(255, 255, 255)',
    labelColor: 'rgb(255, 255, 255)',
    fields: {
      primary: [{ label: say.balance(time), value: formatYuan(card.balanceFen) }],
      secondary: [
        { label: say.number, value: card.number.replace(/(.{4})(?=.)/g, '$1 ') },
        { label: say.until, value: until },
      ],
      auxiliary: [{ label: say.scope, value: card.scope }],
      back: [
        { label: say.note, value: say.noteText },
        { label: say.open, value: link },
      ],
    },
    link,
    linkText: say.scan,
    expiresAtMs: card.expiresAtMs,
  }
}
