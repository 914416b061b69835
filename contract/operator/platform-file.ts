import { z } from 'zod'
import { fenField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'
import { companyRoles } from '../hr/session.ts'
import { FilingEntry } from './filing.ts'
import { MerchantEntry } from './merchant.ts'
import { ListingEntry } from './shelf.ts'
import { TermsEntry } from './terms.ts'

const text = (most: number) => z.string().trim().min(1).max(most)

/** A company with its members and its WeCom, as an operator writes it down. */
export const CompanyEntry = z.strictObject({
  code: z.string().regex(/^[a-z0-9-]{2,32}$/, { message: '2 to 32 of a-z, 0-9 and hyphen' }),
  name: text(100),
  paymentRoute: z.enum(['strict', 'non_cash']).default('strict'),
  /**
   * How much it may owe for cards bought on credit; 0 closes the line. Left out: it stays as it is, off at first. The law
   * bars much credit for prepaid cards: ask before you open one.
   */
  creditLineFen: fenField.optional(),
  wecom: z
    .strictObject({
      corpId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
      agentId: z.int().positive(),
      secret: text(200),
      /** Of contact sync (通讯录同步), where the company gave it. */
      contactSecret: text(200).optional(),
      /** How many accounts the company may have; messages a day are 200 times that. */
      accountLimit: z.int().min(1).max(10_000_000).optional(),
      callback: z
        .strictObject({
          token: z.string().regex(/^[A-Za-z0-9]{1,32}$/),
          encodingAesKey: z.string().regex(/^[A-Za-z0-9]{43}$/),
        })
        .optional(),
    })
    .optional(),
  members: z
    .array(z.strictObject({ name: text(50), userid: text(64), roles: z.array(z.enum(companyRoles)).min(1) }))
    .default([]),
})

/** A card of a brand. The same brand and name with other terms becomes a new version; the old one stays as it is. */
const TemplateEntry = z.strictObject({
  name: text(100),
  named: z.boolean(),
  faces: z.array(fenField).default([]),
  minFaceFen: fenField,
  maxFaceFen: fenField,
  stepFen: fenField.refine((value) => value > 0, { message: 'at least 1 fen' }),
  validDays: z.int().positive().nullable(),
  coolingOffMs: z.int().min(0).default(0),
  /** For so long after its payment an unused card may be given back: seven days for cards that consumers buy. */
  rightMs: z.int().min(0).default(0),
  priceBp: z.int().min(1).max(10_000).default(10_000),
  cover: z.enum(covers).default('plain'),
  scope: text(500),
  /** How it stands on the shelf of the storefront; without, what stands there stays. */
  listing: ListingEntry.optional(),
})

/** A brand that issues cards, who collects its WeChat payments, and its cards. */
export const BrandEntry = z.strictObject({
  name: text(100),
  issuerPrefix: z.string().regex(/^\d{2,8}$/, { message: '2 to 8 digits' }),
  wechatPay: z
    .strictObject({ mchid: z.string().regex(/^\d{6,32}$/), appid: text(32) })
    .nullable()
    .default(null),
  /** Who gets what of a card's price; without, what stands stays. */
  terms: TermsEntry.optional(),
  /** How it is filed as an issuer of prepaid cards, and its custody account; without, what stands stays. */
  filing: FilingEntry.optional(),
  /** What one card may spend on one day of China, and in how many purchases; null: as much as is on it. Left out: it stays. */
  cardDayFen: fenField
    .refine((value) => value > 0, { message: 'at least 1 fen' })
    .nullable()
    .optional(),
  cardDayTimes: z.int().min(1).max(10_000).nullable().optional(),
  /** By how many days a holder may make a card valid again that has expired; 0: never. Left out: it stays, 365 at first. */
  extendDays: z.int().min(0).max(3650).optional(),
  templates: z.array(TemplateEntry).default([]),
  /** Who takes its cards, and where. A shop is found by its name; one that the file does not name stays as it is. */
  merchants: z.array(MerchantEntry).default([]),
})

/** What `npm run operator -- apply FILE` reads. */
export const PlatformFile = z.strictObject({
  companies: z.array(CompanyEntry).default([]),
  brands: z.array(BrandEntry).default([]),
})
export type PlatformFile = z.output<typeof PlatformFile>
