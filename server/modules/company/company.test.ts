import { expect, test } from 'vitest'
import { encodeId } from '../../../contract/ids.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { addMember } from './add-member.ts'
import { changeCompany } from './change-company.ts'
import { connectWecom } from './connect-wecom.ts'
import { createCompany } from './create-company.ts'
import { createOperator, removeOperator } from './create-operator.ts'
import { findCompanyByCode, findCompanyByCorpId, readActiveCompany, readCompany } from './read-company.ts'
import { findMemberByUserId, readMemberNames, readMembers } from './read-members.ts'
import { findOperatorByKey, readOperator } from './read-operator.ts'
import { readCallbackKeys, readConnection, readWecomApp } from './read-wecom-app.ts'
import { removeMember } from './remove-member.ts'
import { suspendCompany } from './suspend-company.ts'

const nobody = encodeId('company', 7n)
const callback = { token: 'QDG6eK', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' }

onBothDatabases('company', (database) => {
  test('a code is a slug and one company has it', async () => {
    const make = (code: string, name = '青禾') =>
      database.tx((tx) => createCompany(tx, { code, name, paymentRoute: 'strict' }))
    for (const code of ['a', 'A-b', 'a b', '企业', 'x'.repeat(33), ''])
      await expect(make(code), code).rejects.toThrow(RangeError)
    await expect(make('blank', '  ')).rejects.toThrow(RangeError)
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => make('qinghe')))
    const refused = made.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
    expect(refused).toHaveLength(4)
    for (const reason of refused) expect(reason).toMatchObject({ code: 'company_code_taken', more: { field: 'code' } })
    const found = await database.tx((tx) => findCompanyByCode(tx, ' QingHe '))
    expect(found).toMatchObject({ code: 'qinghe', name: '青禾', paymentRoute: 'strict', state: 'active' })
    expect(await database.tx((tx) => findCompanyByCode(tx, 'nobody'))).toBeNull()
  })

  test('a change is told once, and only an active company may act', async () => {
    const { id } = await aCompany(database, { name: '旧名' })
    const change = { id, name: '新名', paymentRoute: 'strict' as const }
    expect(await database.tx((tx) => changeCompany(tx, change))).toBe(true)
    expect(await database.tx((tx) => changeCompany(tx, change))).toBe(false)
    expect(await database.tx((tx) => changeCompany(tx, { ...change, id: nobody }))).toBe(false)
    expect(await database.tx((tx) => readCompany(tx, id))).toMatchObject({ name: '新名', paymentRoute: 'strict' })
    expect((await database.tx((tx) => readActiveCompany(tx, { id }))).id).toBe(id)
    const suspended = await Promise.all([1, 2, 3].map(() => database.tx((tx) => suspendCompany(tx, id))))
    expect(suspended.filter(Boolean)).toHaveLength(1)
    const read = (companyId: typeof id) => database.tx((tx) => readActiveCompany(tx, { id: companyId }))
    await expect(read(id)).rejects.toMatchObject({ code: 'company_suspended' })
    await expect(read(nobody)).rejects.toMatchObject({ code: 'company_unknown' })
  })

  test('one userid is one member, whatever its case and however often it is added at once', async () => {
    const { id } = await aCompany(database)
    const other = await aCompany(database)
    const add = (userid: string, companyId = id) =>
      database.tx((tx) => addMember(tx, { companyId, name: `李${userid}`, userid, roles: ['admin', 'hr'] }))
    const ids = await Promise.all(['LiSi', 'lisi', 'LISI', ' lisi '].map((userid) => add(userid)))
    expect(new Set(ids).size).toBe(1)
    expect(new Set(await Promise.all(Array.from({ length: 12 }, () => add('LISI')))).size).toBe(1)
    await expect(add('lisi', nobody)).rejects.toMatchObject({ code: 'not_found' })
    expect(await add('lisi', other.id)).not.toBe(ids[0])
    const members = await database.tx((tx) => readMembers(tx, id))
    expect(members).toHaveLength(5)
    expect(members.at(-1)).toMatchObject({ roles: ['hr', 'admin'], state: 'active' })
    expect(await database.tx((tx) => findMemberByUserId(tx, id, 'liSI'))).toBe(ids[0])
    expect(await database.tx((tx) => findMemberByUserId(tx, nobody, 'lisi'))).toBeNull()
    for (const wrong of [{ name: ' ' }, { userid: '' }, { roles: [] }]) {
      const whole = { companyId: id, name: '王', userid: 'wang', roles: ['hr'] as const, ...wrong }
      await expect(database.tx((tx) => addMember(tx, whole))).rejects.toThrow(RangeError)
    }
  })

  test('a member is removed by the own company only, keeps the name, and can come back', async () => {
    const { id, members } = await aCompany(database)
    const other = await aCompany(database)
    const remove = (companyId: typeof id) => database.tx((tx) => removeMember(tx, companyId, members.hr))
    expect(await remove(other.id)).toBe(false)
    expect(await remove(id)).toBe(true)
    expect(await remove(id)).toBe(false)
    expect(await database.tx((tx) => findMemberByUserId(tx, id, 'hr'))).toBeNull()
    const names = await database.tx((tx) => readMemberNames(tx, [members.hr, members.hr, encodeId('member', 5n)]))
    expect([...names]).toEqual([[members.hr, '林人事']])
    expect((await database.tx((tx) => readMemberNames(tx, []))).size).toBe(0)
    const back = { companyId: id, name: '林新名', userid: 'HR', roles: ['approver'] as const }
    expect(await database.tx((tx) => addMember(tx, back))).toBe(members.hr)
    expect((await database.tx((tx) => readMembers(tx, id)))[0]).toEqual({
      id: members.hr,
      name: '林新名',
      roles: ['approver'],
      state: 'active',
    })
  })

  test('no name, userid, secret or key lies open in the database', async () => {
    const { id } = await aCompany(database, { callback })
    const key = 'k'.repeat(43)
    await database.tx((tx) => createOperator(tx, { name: '运营', roles: ['ops'], key }))
    const rows = await database.tx(async (tx) => [
      ...(await sql(tx.em, 'select * from member')),
      ...(await sql(tx.em, 'select * from wecom_connection')),
      ...(await sql(tx.em, 'select * from operator')),
      ...(await sql(tx.em, 'select * from trail')),
    ])
    expect(rows.length).toBeGreaterThan(6)
    const text = rows.map((row) =>
      Object.values(row as object).map((value) => (value instanceof Uint8Array ? Buffer.from(value) : String(value))),
    )
    expect(text.flat().join('\n')).not.toMatch(/林人事|运营|userid|SANDBOXsecret|QDG6eK|jWmYm|kkkkk/)
    expect(await database.tx((tx) => readCompany(tx, id))).not.toBeNull()
  })

  test('a connection opens for its company, changes in place, and a corp belongs to one company', async () => {
    const first = await aCompany(database, { callback })
    const second = await aCompany(database)
    const read = (id: typeof first.id) =>
      database.tx(async (tx) => ({
        app: await readWecomApp(tx, id),
        keys: await readCallbackKeys(tx, id),
        shown: await readConnection(tx, id),
      }))
    const { corpId } = first.wecom
    expect(await read(first.id)).toMatchObject({
      app: first.wecom,
      keys: { ...callback, receiveIds: [corpId] },
      shown: { corpId, agentId: 1000002, callbackSet: true, kind: 'self_built', state: 'active' },
    })
    const fresh = { companyId: first.id, corpId, agentId: 7, secret: 'SANDBOXother', callback: null }
    await database.tx((tx) => connectWecom(tx, fresh))
    await database.tx((tx) => connectWecom(tx, fresh))
    expect(await read(first.id)).toMatchObject({ app: { agentId: 7, secret: 'SANDBOXother' }, keys: null })
    expect(await database.tx((tx) => findCompanyByCorpId(tx, corpId))).toMatchObject({ id: first.id })
    const steal = { ...fresh, companyId: second.id }
    await expect(database.tx((tx) => connectWecom(tx, steal))).rejects.toMatchObject({ code: 'wecom_corp_taken' })
    expect((await read(second.id)).app).toEqual(second.wecom)
    const third = await database.tx((tx) => createCompany(tx, { code: 'third', name: '三', paymentRoute: 'strict' }))
    const mine = { ...fresh, companyId: third }
    await expect(database.tx((tx) => connectWecom(tx, mine))).rejects.toMatchObject({ code: 'wecom_corp_taken' })
    const free = { ...mine, corpId: 'wwThird' }
    await Promise.all(Array.from({ length: 12 }, () => database.tx((tx) => connectWecom(tx, free))))
    expect((await read(third)).app).toMatchObject({ corpId: 'wwThird', agentId: 7, secret: 'SANDBOXother' })
    expect(await read(nobody)).toEqual({ app: null, keys: null, shown: null })
    expect(await database.tx((tx) => findCompanyByCorpId(tx, 'wwNobody'))).toBeNull()
    const wrong = [
      { corpId: 'a b' },
      { agentId: 0 },
      { secret: '' },
      { callback: { ...callback, encodingAesKey: 'short' } },
      { callback: { ...callback, token: 'not ok' } },
    ]
    for (const one of wrong)
      await expect(database.tx((tx) => connectWecom(tx, { ...fresh, ...one }))).rejects.toThrow(RangeError)
  })

  test('a sealed secret that is moved to another company does not open', async () => {
    const first = await aCompany(database)
    const second = await aCompany(database)
    await database.tx(async (tx) => {
      const [row] = await sql<{ secret_sealed: Uint8Array }>(
        tx.em,
        'select secret_sealed from wecom_connection where company_id = ?',
        [first.id],
      )
      await sql(tx.em, 'update wecom_connection set secret_sealed = ? where company_id = ?', [
        row!.secret_sealed,
        second.id,
      ])
    })
    await expect(database.tx((tx) => readWecomApp(tx, second.id))).rejects.toThrow('not_authentic')
  })

  test('an operator is found by the key until removed', async () => {
    const key = 'A'.repeat(42) + '_'
    const make = (more: object) =>
      database.tx((tx) => createOperator(tx, { name: '运营', roles: ['finance', 'ops'], key, ...more }))
    for (const wrong of [{ key: 'short' }, { key: `${'a'.repeat(42)} b` }, { name: '' }, { roles: [] }])
      await expect(make(wrong)).rejects.toThrow(RangeError)
    const id = await make({})
    const facts = { id, name: '运营', roles: ['ops', 'finance'] }
    expect(await database.tx((tx) => findOperatorByKey(tx, key))).toEqual(facts)
    expect(await database.tx((tx) => findOperatorByKey(tx, key.toLowerCase()))).toBeNull()
    expect(await database.tx((tx) => readOperator(tx, id))).toEqual(facts)
    expect(await database.tx((tx) => removeOperator(tx, id))).toBe(true)
    expect(await database.tx((tx) => removeOperator(tx, id))).toBe(false)
    expect(await database.tx((tx) => findOperatorByKey(tx, key))).toBeNull()
    expect(await database.tx((tx) => readOperator(tx, id))).toBeNull()
  })
})
