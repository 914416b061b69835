import { expect, test } from 'vitest'
import { PlatformFile } from '../../../contract/operator/platform-file.ts'
import type { Ports } from '../../channels/ports.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { applyPlatform } from '../../apply-platform.ts'

onBothDatabases('a platform file with a filing', (database) => {
  const filing = {
    class: 'scale',
    number: '1',
    filedDay: '2025-03-01',
    custodyBank: '银行',
    custodyAccount: '62220001',
  }
  const apply = async (more?: object): Promise<string | undefined> => {
    const brand = {
      name: '青禾',
      issuerPrefix: '6230',
      ...(more === undefined ? {} : { filing: { ...filing, ...more } }),
    }
    const [done] = await applyPlatform(database.edge({} as Ports), PlatformFile.parse({ brands: [brand] }), false)
    return done?.action
  }

  test('files a brand once, changes what differs, and leaves it as it stands where it names none', async () => {
    expect([await apply({}), await apply({}), await apply()]).toEqual(['create', 'same', 'same'])
    expect([await apply({ custodyAccount: '62220002' }), await apply({ custodyAccount: '62220002' })]).toEqual([
      'change',
      'same',
    ])
    const broken = { brands: [{ name: '青禾', issuerPrefix: '6230', filing: { ...filing, number: null } }] }
    expect(PlatformFile.safeParse(broken).error?.issues[0]?.path).toEqual(['brands', 0, 'filing', 'number'])
  })
})
