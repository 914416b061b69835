import { fen, type Fen } from '../../../contract/fen.ts'
import type { ListingState } from '../../../contract/states.ts'
import type { House } from '../../kernel/house.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { amountsOf, codesOf, facetCodes, validityOf, type FacetCodes, type ShelfItem } from './choose-listings.ts'
import { searchTextOf } from './search-words.ts'

/** All that is on the shelf, as of a version, and what had been sold when the last two rounds began. */
export interface KnownShelf {
  readonly items: ReadonlyMap<string, ShelfItem>
  readonly codes: FacetCodes
  readonly brandNames: ReadonlyMap<string, string>
  readonly round: number
  /** Sales by round: the present one and the one before. Round 0 is before the first: nothing was sold. */
  readonly rounds: ReadonlyMap<number, ReadonlyMap<string, number>>
}
interface Known {
  upTo: number
  readonly items: Map<string, ShelfItem>
  readonly codes: FacetCodes
  readonly brandNames: Map<string, string>
  readonly rounds: Map<number, ReadonlyMap<string, number>>
  /** Words of brands, which many listings share. */
  readonly brandWords: Map<string, string>
}

const shelves = new WeakMap<House, Known>()

/**
 * The shelf as it is at this instant. Each process keeps what lists look at and no order changes, and asks for what is newer
 * every time: one row says whether there is anything. What orders change (stock, sales) is never kept.
 */
export async function knowShelf(tx: Tx): Promise<KnownShelf> {
  const known = shelves.get(tx.house) ?? newShelf()
  shelves.set(tx.house, known)
  const [now] = await sql<{ version: unknown; round: unknown }>(
    tx.em,
    `select (select next from counter where name = 'shelf') as version, (select max(number) from shelf_round) as round`,
  )
  const version = Number(now?.version ?? 0)
  const round = Number(now?.round ?? 0)
  if (version > known.upTo) await readNewer(tx, known, version)
  if (round > 0 && !known.rounds.has(round)) await readRounds(tx, known, round)
  return { ...known, round }
}

const newShelf = (): Known => ({
  upTo: 0,
  items: new Map(),
  codes: facetCodes(),
  brandNames: new Map(),
  rounds: new Map(),
  brandWords: new Map(),
})

interface Row {
  readonly id: ShelfItem['id']
  readonly state: ListingState
  readonly shelfVersion: unknown
  readonly category: ShelfItem['category']
  readonly brandId: ShelfItem['brandId']
  readonly brandName: string
  readonly title: string
  readonly subtitle: string
  readonly cover: ShelfItem['cover']
  readonly faces: string
  readonly minFaceFen: unknown
  readonly maxFaceFen: unknown
  readonly stepFen: unknown
  readonly priceBp: unknown
  readonly validDays: unknown
  readonly channels: string
  readonly series: unknown
  readonly giftable: unknown
  readonly segment: string | null
  readonly promoNumber: unknown
  readonly promoPriceBp: unknown
  readonly promoFromMs: unknown
  readonly promoUntilMs: unknown
  readonly createdAtMs: unknown
  readonly searchText: string
}

/** Two who read at once write the same; whoever read earlier overwrites nothing newer. */
async function readNewer(tx: Tx, known: Known, version: number): Promise<void> {
  const rows = await sql<Row>(
    tx.em,
    `select listing.id as id, listing.state as state, listing.shelf_version as shelfVersion,
        listing.category as category, listing.brand_id as brandId, brand.name as brandName, listing.title as title,
        listing.subtitle as subtitle, sold.cover as cover, sold.faces as faces, sold.min_face_fen as minFaceFen,
        sold.max_face_fen as maxFaceFen, sold.step_fen as stepFen, sold.price_bp as priceBp,
        sold.valid_days as validDays, listing.channels as channels, listing.series as series,
        listing.giftable as giftable, listing.segment as segment, listing.promo_number as promoNumber,
        listing.promo_price_bp as promoPriceBp, listing.promo_from_ms as promoFromMs,
        listing.promo_until_ms as promoUntilMs, listing.created_at_ms as createdAtMs,
        listing.search_text as searchText
      from listing join template_version as sold on sold.id = listing.template_version_id
        join brand on brand.id = listing.brand_id
      where listing.shelf_version > ?`,
    [known.upTo],
  )
  for (const row of rows) {
    const stands = known.items.get(row.id)
    if (stands !== undefined && stands.shelfVersion > Number(row.shelfVersion)) continue
    if (row.state === 'on') known.items.set(row.id, itemOf(row, known))
    else known.items.delete(row.id)
  }
  known.upTo = Math.max(known.upTo, version)
}

function itemOf(row: Row, known: Known): ShelfItem {
  const { id, category, brandId, brandName, title, subtitle, cover, segment } = row
  const faces = (JSON.parse(row.faces) as number[]).map(fen)
  const [minFaceFen, maxFaceFen, stepFen] = [row.minFaceFen, row.maxFaceFen, row.stepFen].map((value) =>
    fen(Number(value)),
  ) as [Fen, Fen, Fen]
  const validDays = numberOrNull(row.validDays)
  const words = known.brandWords.get(brandName) ?? searchTextOf([brandName])
  known.brandWords.set(brandName, words)
  known.brandNames.set(brandId, brandName)
  const plain = {
    id,
    category,
    brandId,
    brandName,
    title,
    subtitle,
    cover,
    segment,
    faces,
    minFaceFen,
    maxFaceFen,
    stepFen,
    validDays,
    shelfVersion: Number(row.shelfVersion),
    priceBp: Number(row.priceBp),
    channels: JSON.parse(row.channels) as ShelfItem['channels'],
    series: Number(row.series) === 1,
    giftable: Number(row.giftable) === 1,
    promoNumber: Number(row.promoNumber),
    promo: {
      promoPriceBp: numberOrNull(row.promoPriceBp),
      promoFromMs: numberOrNull(row.promoFromMs),
      promoUntilMs: numberOrNull(row.promoUntilMs),
      promoTaken: 0,
    },
    createdAtMs: Number(row.createdAtMs),
    amounts: amountsOf({ faces, minFaceFen, maxFaceFen }),
    validity: validityOf(validDays),
    searchText: `${row.searchText}\n${words}`,
  }
  return { ...plain, codes: codesOf(plain, known.codes) }
}

const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))

async function readRounds(tx: Tx, known: Known, round: number): Promise<void> {
  const rows = await sql<{ number: unknown; sales: string }>(
    tx.em,
    'select number, sales from shelf_round where number >= ?',
    [round - 1],
  )
  for (const row of rows) {
    const sales = JSON.parse(row.sales) as Record<string, number>
    known.rounds.set(Number(row.number), new Map(Object.entries(sales)))
  }
  for (const number of known.rounds.keys()) if (number < round - 1) known.rounds.delete(number)
}
