import { readFileSync } from 'node:fs'
import exceljs from 'exceljs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RosterDetail } from '../../../contract/hr/staff.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import { readStaffList } from '../../../importers/staff-list.ts'
import { applyRoster } from '../../../jobs/apply-roster.ts'
import { importRoster } from '../../../jobs/import-roster.ts'
import type { Actor } from '../../kernel/context.ts'
import { createHttpApp, serve } from '../../kernel/http.ts'
import { silentLog } from '../../kernel/log.ts'
import { readSum } from '../../kernel/columns.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anUpload, noPorts } from '../../testing/uploads.ts'
import { staffEndpoints } from './endpoints.ts'
import { eraseRosterChunks } from './erase-roster.ts'

const sample = (name: string): Buffer => readFileSync(new URL(`../../../samples/rosters/${name}`, import.meta.url))

onBothDatabases('the staff endpoints', (database) => {
  let base: string
  let close: () => Promise<void>
  const actors = new Map<string, Actor>()
  beforeEach(async () => {
    const app = createHttpApp({
      endpoints: staffEndpoints,
      edgeFor: (actor) => database.edge(noPorts, actor),
      authenticate: ({ headers }) => Promise.resolve(actors.get(headers['x-as'] ?? '') ?? { kind: 'anybody' }),
      origins: [],
      log: silentLog(),
    })
    const server = await serve(app, 0, '127.0.0.1')
    base = `http://127.0.0.1:${server.port}`
    close = () => server.close(500)
  })
  afterEach(() => close())

  const as = (company: TestCompany, role: 'hr' | 'approver' | 'finance' = 'hr'): string => {
    actors.set(`${company.id}:${role}`, company.as(role))
    return `${company.id}:${role}`
  }
  const ask = (who: string, method: string, path: string, body?: object) =>
    fetch(base + path, {
      method,
      headers: { 'x-as': who, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
  const read = async (who: string, method: string, path: string, body?: object) =>
    (await ask(who, method, path, body)).json() as Promise<Record<string, unknown>>
  const upload = async (who: string, key: string, raw: Buffer, fileName = 'list.xlsx', again = false) => {
    const answer = await fetch(`${base}/hr/rosters?again=${String(again)}`, {
      method: 'POST',
      headers: {
        'x-as': who,
        'x-file-name': encodeURIComponent(fileName),
        'idempotency-key': key,
        'content-type': 'application/octet-stream',
      },
      body: new Uint8Array(raw),
    })
    return {
      status: answer.status,
      ...((await answer.json()) as { id?: Id<'roster'>; code?: string; detail?: string }),
    }
  }
  const chunks = async (): Promise<number> => {
    const [row] = await database.tx((tx) => sql<{ n: unknown }>(tx.em, 'select count(*) as n from roster_chunk'))
    return readSum(row?.n)
  }

  test('a file is taken once per key and once per company, also when two come at once', async () => {
    const [hr, other] = [as(await aCompany(database)), as(await aCompany(database))]
    const raw = sample('clean-200.xlsx')
    const first = await upload(hr, 'k1', raw)
    expect(first.status).toBe(200)
    expect(isId('roster', first.id)).toBe(true)
    expect(await upload(hr, 'k1', raw)).toMatchObject({ status: 200, id: first.id })
    expect(await upload(hr, 'k1', sample('gb18030.csv'))).toMatchObject({ status: 409, code: 'idempotency_conflict' })
    const known = { status: 409, code: 'roster_uploaded_before', detail: first.id }
    expect(await upload(hr, 'k2', raw)).toMatchObject(known)
    expect(await chunks()).toBe(1)
    expect((await upload(hr, 'k3', raw, 'again.xlsx', true)).status).toBe(200)
    expect((await upload(other, 'k1', raw)).status).toBe(200)
    expect(await upload(hr, 'k4', Buffer.alloc(0))).toMatchObject({ status: 422, code: 'roster_refused' })
    const csv = sample('utf8-bom.csv')
    const both = await Promise.all([upload(hr, 'k5', csv, 'a.csv'), upload(hr, 'k6', csv, 'a.csv')])
    expect(new Set(both.map((one) => one.status))).toEqual(new Set([200, 409]))
    const { rosters } = (await read(hr, 'GET', '/hr/rosters?limit=2')) as { rosters: { name: string }[] }
    expect(rosters.map((one) => one.name)).toEqual(['a.csv', 'again.xlsx'])
    const { nextCursor } = await read(hr, 'GET', '/hr/rosters?limit=2')
    expect((await read(hr, 'GET', `/hr/rosters?limit=2&cursor=${String(nextCursor)}`))['rosters']).toHaveLength(1)
  })

  test('progress is told until the list is read; then its columns, kinds of fault and departments stand', async () => {
    const hr = as(await aCompany(database))
    const { id } = await upload(hr, 'k', sample('real-life-1000.xlsx'))
    const events = await ask(hr, 'GET', `/hr/rosters/${id}/events`)
    expect(events.headers.get('content-type')).toContain('text/event-stream')
    const text = events.text()
    await importRoster(database.edge(noPorts), id!)
    const told = [...(await text).matchAll(/^event: progress\ndata: (.*)$/gm)].map((one) =>
      RosterDetail.parse(JSON.parse(one[1]!)),
    )
    expect(told.at(-1)).toMatchObject({ state: 'needs_mending', rowsRead: 1000, rowCount: 1000, faultyCount: 35 })
    expect(told[0]!.state).not.toBe('needs_mending')
    const detail = RosterDetail.parse(await read(hr, 'GET', `/hr/rosters/${id}`))
    expect(detail).toEqual(told.at(-1))
    expect(detail).toMatchObject({ name: 'list.xlsx', sheet: '发放名单', headerRow: 3, refusal: null, withAmount: 965 })
    expect(detail.faultKinds.find((kind) => kind.code === 'phone-invalid')).toMatchObject({ field: 'phone', count: 9 })
    expect(detail.faultKinds.reduce((sum, kind) => sum + kind.count, 0)).toBe(35)
    expect(detail.departments.reduce((sum, one) => sum + one.heads, 0)).toBe(965)
    expect(detail.columns.map((column) => column.field)).toContain('wecomUserId')
    expect(detail.columns.every((column) => column.samples.length <= 3)).toBe(true)
  })

  test('another company finds nothing, and roles hold', async () => {
    const [company, other] = [await aCompany(database), await aCompany(database)]
    const id = await anUpload(database, company, '姓名,手机\n甲一,13800000001\n乙二,1\n')
    const { rows } = (await read(as(company), 'GET', `/hr/rosters/${id}/rows`)) as { rows: { id: string }[] }
    const [mine] = rows
    const calls: [string, string, object?][] = [
      ['GET', ''],
      ['GET', '/events'],
      ['PUT', '/columns', { columns: { name: 'A', phone: 'B' } }],
      ['GET', '/rows'],
      ['PATCH', '/rows', { rows: [{ id: mine!.id, cells: { name: '别人' } }] }],
      ['POST', '/replace', { field: 'phone', from: '1', to: '2' }],
      ['POST', '/remove', { rowIds: [mine!.id] }],
      ['GET', '/faulty.xlsx'],
      ['GET', '/changes'],
      ['POST', '/apply', { leaveOutFaulty: true }],
    ]
    for (const [method, path, body] of calls) {
      const answer = await ask(as(other), method, `/hr/rosters/${id}${path}`, body)
      expect([method, path, answer.status]).toEqual([method, path, 404])
      const stranger = await ask('nobody', method, `/hr/rosters/${id}${path}`, body)
      expect([method, path, stranger.status]).toEqual([method, path, 401])
      const finance = await ask(as(company, 'finance'), method, `/hr/rosters/${id}${path}`, body)
      expect([method, path, finance.status]).toEqual([method, path, 403])
      if (method === 'GET') continue
      const approver = await ask(as(company, 'approver'), method, `/hr/rosters/${id}${path}`, body)
      expect([method, path, approver.status]).toEqual([method, path, 403])
    }
    const theirs = await anUpload(database, other, '姓名,手机\n丙三,13800000003\n')
    const mixed = await ask(as(other), 'PATCH', `/hr/rosters/${theirs}/rows`, {
      rows: [{ id: mine!.id, cells: { name: '别人' } }],
    })
    expect(mixed.status).toBe(404)
    expect(await read(as(company), 'GET', `/hr/rosters/${id}/rows`)).toMatchObject({ total: 2, rows })
  })

  test('faulty rows are downloaded with reasons, run no formula anywhere, and come back as a list', async () => {
    const company = await aCompany(database)
    const bad = ['=HYPERLINK("http://x.example","甲")', '+cmd|1', '-2+3', '@SUM(A1)', '\tx', '＝1+1']
    const lines = bad.map((name, i) => `"${name.replaceAll('"', '""')}",1380000000,"=1+${i}"`)
    const id = await anUpload(database, company, `姓名,手机,备注\n好人,13800000001,\n${lines.join('\n')}\n`)
    const answer = await ask(as(company), 'GET', `/hr/rosters/${id}/faulty.xlsx`)
    expect(answer.headers.get('content-type')).toContain('spreadsheetml')
    const bytes = Buffer.from(await answer.arrayBuffer())
    const book = new exceljs.Workbook()
    await book.xlsx.load(bytes as unknown as ArrayBuffer)
    const sheet = book.worksheets[0]!
    expect(sheet.rowCount).toBe(1 + bad.length)
    sheet.eachRow((row) =>
      row.eachCell((cell) => {
        expect(cell.formula).toBeUndefined()
        expect(cell.text).not.toMatch(/^\s*[=+\-@＝]/)
      }),
    )
    const texts = (row: number) => (sheet.getRow(row).values as unknown[]).slice(1, 6)
    expect(texts(1)).toEqual(['原行号', '姓名', '姓名：问题', '手机', '手机：问题'])
    expect(texts(2)).toEqual([
      3,
      `'${bad[0]}`,
      undefined,
      '1380000000',
      '手机号不是 11 位中国大陆手机号。核对后填 11 位手机号',
    ])
    sheet.getRow(2).getCell(4).value = '13800000009'
    const mended = new Uint8Array(await book.xlsx.writeBuffer())
    const list = await readStaffList(mended, { fileName: 'mended.xlsx' })
    expect([list.rows, list.valid]).toEqual([bad.length, 1])
  })

  test('the template offers the company its departments and reads back as a list', async () => {
    const company = await aCompany(database)
    const id = await anUpload(database, company, '姓名,手机,部门\n甲一,13800000001,生产/总装\n乙二,13800000002,=1+1\n')
    await ask(as(company), 'POST', `/hr/rosters/${id}/apply`, {})
    await applyRoster(database.edge(noPorts), id)
    for (const lang of ['zh', 'en']) {
      const headers = { 'x-as': as(company), cookie: `lang=${lang}` }
      const answer = await fetch(`${base}/hr/roster-template.xlsx`, { headers })
      const bytes = Buffer.from(await answer.arrayBuffer())
      const book = new exceljs.Workbook()
      await book.xlsx.load(bytes as unknown as ArrayBuffer)
      const [sheet, departments] = book.worksheets
      expect(sheet!.getCell('D2').dataValidation.formulae).toEqual([`'${departments!.name}'!$A$1:$A$2`])
      expect(departments!.state).toBe('veryHidden')
      expect(departments!.getColumn(1).values.slice(1)).toEqual(["'=1+1", '生产/总装'])
      const list = await readStaffList(bytes, { fileName: 'template.xlsx' })
      expect(list).toMatchObject({ rows: 1, valid: 1, ignoredColumns: {} })
      expect(Object.keys(list.columns)).toHaveLength(9)
    }
    // A search is read as a cell of a list is: in full width, with blanks, with the country's number.
    for (const text of [
      '13800000001',
      '１３８００００ ０００１',
      '+86 138-0000-0001',
      '甲一',
      '甲 一',
      ' 甲一\u200b',
      '０００１',
    ]) {
      const headers = { 'x-as': as(company), 'x-search': encodeURIComponent(text) }
      const { people } = (await (await fetch(`${base}/hr/people`, { headers })).json()) as { people: object[] }
      expect(people, text).toMatchObject([{ name: '甲一', phone: '138****0001', state: 'active' }])
    }
  })

  test('uploaded bytes are sealed, any process reads them, and they are erased when their term is over', async () => {
    const company = await aCompany(database)
    const hr = as(company)
    const raw = Buffer.from(
      `姓名,手机,其他\n${Array.from({ length: 110 }, (_, i) => `员工,${13812345678 + i},${'x'.repeat(30_000)}\n`).join('')}`,
    )
    const { id } = await upload(hr, 'k', raw, 'long.csv')
    expect(await chunks()).toBe(4)
    const rows = await database.tx((tx) =>
      sql<{ bytes_sealed: Buffer }>(tx.em, 'select bytes_sealed from roster_chunk'),
    )
    expect(rows.some((row) => Buffer.from(row.bytes_sealed).includes('13812345678'))).toBe(false)
    await importRoster(database.edge(noPorts), id!)
    expect(await read(hr, 'GET', `/hr/rosters/${id}`)).toMatchObject({ state: 'ready', rowCount: 110 })
    expect(await database.tx(eraseRosterChunks)).toBe(0)
    await database.tx((tx) => change(tx.em, 'update roster set erase_at_ms = 1 where id = ?', [id]))
    expect(await database.tx(eraseRosterChunks)).toBe(4)
    expect(await chunks()).toBe(0)
    const { columns } = RosterDetail.parse(await read(hr, 'GET', `/hr/rosters/${id}`))
    expect(columns.flatMap((column) => column.samples)).toEqual([])
    const again = await ask(hr, 'PUT', `/hr/rosters/${id}/columns`, { columns: { name: 'A', phone: 'B' } })
    expect(again.status).toBe(409)
  })
})
