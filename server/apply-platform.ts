import type { Id } from '../contract/ids.ts'
import { BrandEntry, CompanyEntry, type PlatformFile } from '../contract/operator/platform-file.ts'
import type { FilingEntry } from '../contract/operator/filing.ts'
import type { ListingEntry } from '../contract/operator/shelf.ts'
import type { MerchantEntry } from '../contract/operator/merchant.ts'
import type { TermsEntry } from '../contract/operator/terms.ts'
import type { z } from 'zod'
import type { Edge, Tx } from './kernel/context.ts'
import { canonical } from './kernel/once.ts'
import { changeBrand, findBrandByPrefix, setCardLimits } from './modules/catalog/change-brand.ts'
import { addTemplateVersion, createBrand, createTemplate } from './modules/catalog/create-template.ts'
import { readNewestVersions, readVersions } from './modules/catalog/read-template.ts'
import { readTermsNumber } from './modules/catalog/read-terms.ts'
import { setFiling } from './modules/catalog/set-filing.ts'
import { readFilingVersion } from './modules/catalog/read-filing.ts'
import { setTerms } from './modules/catalog/set-terms.ts'
import { addMember } from './modules/company/add-member.ts'
import { changeCompany } from './modules/company/change-company.ts'
import { connectWecom } from './modules/company/connect-wecom.ts'
import { createCompany } from './modules/company/create-company.ts'
import { findCompanyByCode } from './modules/company/read-company.ts'
import { changeShop } from './modules/merchant/change-shop.ts'
import { createMerchant } from './modules/merchant/create-merchant.ts'
import { createShop } from './modules/merchant/create-shop.ts'
import { findMerchantByName } from './modules/merchant/read-merchants.ts'
import { findShopByName } from './modules/merchant/read-shops.ts'
import { changeListing } from './modules/shelf/change-listing.ts'
import { createListing } from './modules/shelf/create-listing.ts'
import { showBrandAnew } from './modules/shelf/next-shelf-version.ts'
import { findListingOf } from './modules/shelf/read-listing.ts'
import { openWallet } from './modules/wallet/open-wallet.ts'
import { setCreditLine } from './modules/wallet/set-credit-line.ts'

/** What the file did, or would do, to one thing. Members and the WeCom connection belong to their company's line. */
export interface Applied {
  readonly kind: 'company' | 'brand' | 'template' | 'listing' | 'merchant' | 'shop'
  readonly key: string
  readonly action: 'create' | 'change' | 'same'
}

class DryRun extends Error {}

/**
 * Brings companies, brands, templates, listings, merchants and shops in line with a file: a second time it changes nothing. What the file does not
 * name stays as it is. With `dryRun` everything is done in a transaction that is taken back, so the answer is true.
 */
export async function applyPlatform(edge: Edge, file: PlatformFile, dryRun: boolean): Promise<Applied[]> {
  const done: Applied[] = []
  const all = async (tx: Tx): Promise<void> => {
    for (const company of file.companies) done.push(...(await applyCompany(tx, company)))
    for (const brand of file.brands) done.push(...(await applyBrand(tx, brand)))
    if (dryRun) throw new DryRun()
  }
  await edge.tx(all).catch((error: unknown) => {
    if (!(error instanceof DryRun)) throw error
  })
  return done
}

async function applyCompany(tx: Tx, entry: z.output<typeof CompanyEntry>): Promise<Applied[]> {
  const known = await findCompanyByCode(tx, entry.code)
  const id = known?.id ?? (await createCompany(tx, entry))
  const changed = known !== null && (await changeCompany(tx, { id, ...entry }))
  if (known === null) await openWallet(tx, id)
  const { creditLineFen } = entry
  const lent = creditLineFen !== undefined && (await setCreditLine(tx, id, creditLineFen))
  if (entry.wecom !== undefined) {
    const { callback, contactSecret, accountLimit, ...app } = entry.wecom
    await connectWecom(tx, {
      companyId: id,
      ...app,
      ...(callback && { callback }),
      ...(contactSecret !== undefined && { contactSecret }),
      ...(accountLimit !== undefined && { accountLimit }),
    })
  }
  for (const member of entry.members) await addMember(tx, { companyId: id, ...member })
  return [{ kind: 'company', key: entry.code, action: actionOf(known === null, changed || lent) }]
}

async function applyBrand(tx: Tx, entry: z.output<typeof BrandEntry>): Promise<Applied[]> {
  const known = await findBrandByPrefix(tx, entry.issuerPrefix)
  const id = known?.id ?? (await createBrand(tx, entry))
  const changed = known !== null && (await changeBrand(tx, id, entry))
  if (changed) await showBrandAnew(tx, id)
  const agreed = entry.terms !== undefined && (await applyTerms(tx, id, entry.terms))
  const filed = entry.filing !== undefined && (await applyFiling(tx, id, entry.filing))
  const limited = await setCardLimits(tx, id, entry)
  const action = actionOf(known === null, changed || agreed || filed || limited)
  const done: Applied[] = [{ kind: 'brand', key: entry.issuerPrefix, action }]
  done.push(...(await applyTemplates(tx, id, entry)))
  for (const merchant of entry.merchants) done.push(...(await applyMerchant(tx, id, entry.issuerPrefix, merchant)))
  return done
}

async function applyTemplates(tx: Tx, brandId: Id<'brand'>, entry: z.output<typeof BrandEntry>): Promise<Applied[]> {
  const done: Applied[] = []
  const standing = (await readNewestVersions(tx)).filter((version) => version.brandId === brandId)
  for (const { listing, ...template } of entry.templates) {
    const version = standing.find((one) => one.name === template.name)
    const wanted = { brandId, ...template }
    const key = `${entry.issuerPrefix} ${template.name}`
    const same = version !== undefined && sameTerms(version, template)
    const versionId = same
      ? version.id
      : version === undefined
        ? await createTemplate(tx, wanted)
        : await addTemplateVersion(tx, version.templateId, wanted)
    done.push({ kind: 'template', key, action: actionOf(version === undefined, !same) })
    if (listing !== undefined)
      done.push(await applyListing(tx, versionId, key, { ...listing, title: listing.title ?? template.name }))
  }
  return done
}

/** On the shelf stands what the file says, in the version that it says. */
async function applyListing(
  tx: Tx,
  templateVersionId: Id<'templateVersion'>,
  key: string,
  { onShelf, ...facts }: ListingEntry & { title: string },
): Promise<Applied> {
  const [version] = await readVersions(tx, [templateVersionId])
  const known = await findListingOf(tx, version!.templateId)
  const id = known?.id ?? (await createListing(tx, templateVersionId, facts))
  const { version: seen, state: stands } = known ?? { version: 1, state: 'draft' as const }
  const away = stands === 'on' ? 'off' : stands
  const wish = { id, version: seen, templateVersionId, ...facts, state: onShelf ? ('on' as const) : away }
  const changed = (await changeListing(tx, wish)) !== seen
  return { kind: 'listing', key, action: actionOf(known === null, changed) }
}

async function applyMerchant(
  tx: Tx,
  brandId: Id<'brand'>,
  issuerPrefix: string,
  entry: MerchantEntry,
): Promise<Applied[]> {
  const { name } = entry
  const known = await findMerchantByName(tx, brandId, name)
  const id = known?.id ?? (await createMerchant(tx, { brandId, name }))
  const key = `${issuerPrefix} ${name}`
  const done: Applied[] = [{ kind: 'merchant', key, action: actionOf(known === null, false) }]
  for (const shop of entry.shops) {
    const stands = await findShopByName(tx, id, shop.name)
    if (stands === null) await createShop(tx, id, shop)
    const { version = 0, state = 'open' } = stands ?? {}
    const changed = stands !== null && (await changeShop(tx, { ...shop, id: stands.id, version, state })) !== version
    done.push({ kind: 'shop', key: `${key} ${shop.name}`, action: actionOf(stands === null, changed) })
  }
  return done
}

/** True when the terms were others before. */
async function applyTerms(tx: Tx, brandId: Id<'brand'>, terms: TermsEntry): Promise<boolean> {
  const before = await readTermsNumber(tx, brandId)
  return (await setTerms(tx, { brandId, ...terms })) !== before
}

/** True when it was filed otherwise before. */
async function applyFiling(tx: Tx, brandId: Id<'brand'>, filing: FilingEntry): Promise<boolean> {
  const before = await readFilingVersion(tx, brandId)
  return (await setFiling(tx, brandId, filing)) !== before
}

const actionOf = (fresh: boolean, changed: boolean): Applied['action'] => {
  if (fresh) return 'create'
  return changed ? 'change' : 'same'
}

/** Whether a version says what the entry says, field by field of the entry. */
function sameTerms(
  version: { readonly faces: string },
  entry: Omit<z.output<typeof BrandEntry>['templates'][number], 'listing'>,
): boolean {
  const stands: Record<string, unknown> = { ...version, faces: JSON.parse(version.faces) as unknown }
  return Object.entries(entry).every(([name, value]) => canonical(stands[name] ?? null) === canonical(value))
}
