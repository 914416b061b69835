import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { statementsOf } from '../../testing/statements.ts'
import { addTemplateVersion, createBrand, createTemplate, type NewTemplate } from './create-template.ts'
import { readNewestVersions, readVersions, viewTemplates } from './read-template.ts'

const terms = {
  name: '中秋卡',
  named: true,
  minFaceFen: fen(100),
  maxFaceFen: fen(500_000),
  stepFen: fen(100),
  validDays: null,
  coolingOffMs: 0,
  scope: '全国门店',
}
const unnamed = { named: false, maxFaceFen: fen(100_000), validDays: 1095 }

async function make(database: TestDatabase, more: Partial<NewTemplate>) {
  return database.tx(async (tx) => {
    const issuerPrefix = String(Math.floor(Math.random() * 1e8)).padStart(8, '0')
    const brandId = await createBrand(tx, { name: '青禾', issuerPrefix })
    return createTemplate(tx, { brandId, ...terms, ...more })
  })
}
const found = (database: TestDatabase, id: Id<'templateVersion'>) =>
  database.tx(async (tx) => (await readVersions(tx, [id]))[0])

onBothDatabases('templates', (database) => {
  test('the rules bar terms on one side of each limit and take them on the other', async () => {
    const refused = (more: Partial<NewTemplate>, code: string, field: string) =>
      expect(make(database, more)).rejects.toMatchObject({ code, more: { field } })
    await refused({ maxFaceFen: fen(500_001) }, 'face_over_limit', 'maxFaceFen')
    await refused({ ...unnamed, maxFaceFen: fen(100_001) }, 'face_over_limit', 'maxFaceFen')
    await refused({ validDays: 36_500 }, 'template_refused', 'validDays')
    await refused({ ...unnamed, validDays: 1094 }, 'template_refused', 'validDays')
    await refused({ priceBp: 10_001 }, 'template_refused', 'priceBp')
    await refused({ priceBp: 0 }, 'template_refused', 'priceBp')
    await refused({ faces: [fen(99)] }, 'template_refused', 'faces')
    await refused({ faces: [fen(500), fen(500)] }, 'template_refused', 'faces')
    await refused({ maxFaceFen: fen(400), faces: [fen(401)] }, 'template_refused', 'faces')
    await refused({ minFaceFen: fen(200), maxFaceFen: fen(199) }, 'template_refused', 'maxFaceFen')
    await refused({ stepFen: fen(0) }, 'template_refused', 'stepFen')
    expect(await database.tx(readNewestVersions)).toEqual([])
    for (const more of [
      {},
      unnamed,
      { ...unnamed, validDays: null },
      { priceBp: 1 },
      { faces: [fen(100), fen(500_000)] },
    ])
      expect(await found(database, await make(database, more))).toMatchObject({
        named: true,
        ...more,
        faces: JSON.stringify('faces' in more ? more.faces : []),
      })
  })

  test('a process reads a version once, and those beside it that it does not know yet', async () => {
    const [first, second] = [await make(database, {}), await make(database, unnamed)]
    const read = (...ids: Id<'templateVersion'>[]) =>
      statementsOf(database, () => database.tx((tx) => readVersions(tx, ids)))
    const asking = ({ texts }: { readonly texts: readonly string[] }) =>
      texts.filter((text) => text.includes('template_version')).length
    const both = [await read(first), await read(second, first, first), await read(first, second)]
    expect(both.map(asking)).toEqual([1, 1, 0])
    expect(both[2]!.result).toEqual(both[1]!.result)
    expect(both[2]!.result.map(({ id }) => id)).toEqual([first, second].sort())
  })

  test('a new version leaves the old one as it was, and only the newest is offered', async () => {
    const first = await make(database, { priceBp: 9_500 })
    const other = await make(database, { name: '生日卡' })
    const before = await found(database, first)
    if (!before) throw new Error('no first version')
    const given = { ...terms, brandId: before.brandId, name: '中秋卡 2.0', faces: [fen(20_000), fen(50_000)] }
    const second = await database.tx((tx) => addTemplateVersion(tx, before.templateId, given))
    expect(await found(database, first)).toEqual(before)
    expect(await found(database, second)).toMatchObject({ templateId: before.templateId, number: 2, priceBp: 10_000 })
    const views = await database.tx(async (tx) => viewTemplates(tx, await readNewestVersions(tx)))
    expect(views.map((view) => view.versionId).sort()).toEqual([second, other].sort())
    expect(views.find((view) => view.versionId === second)).toMatchObject({
      name: '中秋卡 2.0',
      faces: [20_000, 50_000],
      brand: { id: before.brandId, name: '青禾', takesWechatPay: false },
      validDays: null,
    })
  })

  test('two new versions at once never share a number; unknown templates and other brands are refused', async () => {
    const before = await found(database, await make(database, {}))
    if (!before) throw new Error('no first version')
    const given = { ...terms, brandId: before.brandId }
    const add = () => database.tx((tx) => addTemplateVersion(tx, before.templateId, given))
    const results = await Promise.allSettled([add(), add(), add()])
    expect(results.some((result) => result.status === 'fulfilled')).toBe(true)
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const numbers = (await database.tx((tx) => readVersions(tx, made))).map((version) => version.number)
    expect(new Set(numbers).size).toBe(made.length)
    const unknown = encodeId('template', 1n)
    await expect(database.tx((tx) => addTemplateVersion(tx, unknown, given))).rejects.toMatchObject({
      code: 'not_found',
    })
    const foreign = { ...given, brandId: encodeId('brand', 1n) }
    await expect(database.tx((tx) => addTemplateVersion(tx, before.templateId, foreign))).rejects.toMatchObject({
      code: 'template_refused',
      more: { field: 'brandId' },
    })
  })
})
