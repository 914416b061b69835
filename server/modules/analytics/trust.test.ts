import { expect, test } from 'vitest'
import type { TrustView } from '../../../contract/store/trust.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { change } from '../../kernel/sql.ts'
import { beijing, custodyStage } from '../../testing/custody.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { enterBalance, enterGuarantee } from '../compliance/enter-cover.ts'
import { trustEndpoints } from './trust-endpoints.ts'
import { writeStatements } from './write-statements.ts'

onBothDatabases('why an issuer can be trusted', (database) => {
  const open = async () => {
    const ports = { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }) }
    const web = await startWeb(database, { endpoints: trustEndpoints, ports })
    const ask = async (brandId: string) => aBrowser(web.base).get(`/store/trust/${brandId}`)
    const told = async (brandId: string) => (await (await ask(brandId)).json()) as TrustView
    return { web, ask, told }
  }

  test('says how it is filed, what the bank confirmed, and never an account or an amount', async () => {
    const { web, ask, told } = await open()
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-30 09:00:00'), { class: 'group' })
    expect(await told(brand.id)).toMatchObject({ filing: { class: 'group' }, custody: null, proof: null })
    await stage.issue(brand, beijing('2026-03-31 12:00:00'), 30_000)
    await stage.system(beijing('2026-04-02 09:00:00')).tx(async (tx) => {
      await enterBalance(tx, { brandId: brand.id, day: '2026-04-01', fen: 7_999, document: 'D1' } as never)
      const days = { fromDay: '2026-04-01', toDay: '2026-12-31', document: 'G1' }
      await enterGuarantee(tx, { brandId: brand.id, kind: 'insurance', fen: 1_000, ...days } as never)
    })
    await writeStatements(stage.system(beijing('2026-04-02 02:40:00')))
    const text = await (await ask(brand.id)).text()
    expect(JSON.parse(text)).toEqual({
      brandId: brand.id,
      brandName: expect.stringMatching(/^品牌/) as string,
      filing: {
        class: 'group',
        number: '备 001',
        filedDay: '2025-01-01',
        custodyBank: '沙箱银行',
        requiredPercent: 30,
      },
      // 89.99 yuan of 300: 29 percent, and a fen too little.
      custody: { day: '2026-04-01', coveredPercent: 29, confirmedDay: '2026-04-01', enough: false },
      proof: null,
    })
    expect(text).not.toMatch(/6222|2222|7999|8999|30000/)
    await stage.system(beijing('2026-04-03 09:00:00')).tx(async (tx) => {
      await enterBalance(tx, { brandId: brand.id, day: '2026-04-02', fen: 8_000, document: 'D2' } as never)
    })
    await writeStatements(stage.system(beijing('2026-04-03 02:40:00')))
    expect((await told(brand.id)).custody).toMatchObject({ day: '2026-04-02', coveredPercent: 30, enough: true })
    await web.close()
  })

  test('a brand without a filing, and one that nobody knows', async () => {
    const { web, ask, told } = await open()
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-30 09:00:00'))
    await writeStatements(stage.system(beijing('2026-04-02 02:40:00')))
    const custody = { day: '2026-04-01', coveredPercent: null, confirmedDay: null, enough: true }
    expect(await told(brand.id)).toMatchObject({ filing: null, custody })
    expect((await ask('brd_0000000000000')).status).toBe(404)
    expect((await ask('x')).status).toBe(422)
    await web.close()
  })

  test('says when the books were recounted last, and that they did not add up where they did not', async () => {
    const { web, told } = await open()
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-05-01 09:00:00'))
    const orderId = await stage.issue(brand, beijing('2026-05-01 10:00:00'), 30_000)
    const [first, second, third] = ['01', '02', '03'].map((day) => beijing(`2026-05-${day} 03:10:00`))
    const prove = (atMs: number) => handlers['books.prove']!(stage.system(atMs), {})
    await prove(first!)
    expect((await told(brand.id)).proof).toEqual({ atMs: first, ok: true })
    const shift = (by: number) =>
      database.tx((tx) =>
        change(
          tx.em,
          `update card set balance_fen = balance_fen + ${by}
            where order_item_id in (select id from order_item where order_id = ?)`,
          [orderId],
        ),
      )
    expect(await shift(-1)).toBe(1)
    await prove(second!)
    expect((await told(brand.id)).proof).toEqual({ atMs: second, ok: false })
    await shift(1)
    await prove(third!)
    await prove(third!)
    expect((await told(brand.id)).proof).toEqual({ atMs: third, ok: true })
    await web.close()
  })
})
