import { expect, test } from 'vitest'
import { toGcj02 } from './gcj02.ts'

const metres = (a: ReturnType<typeof toGcj02>, b: ReturnType<typeof toGcj02>): number =>
  Math.hypot(a.latitude - b.latitude, (a.longitude - b.longitude) * Math.cos((a.latitude * Math.PI) / 180)) * 111_195

test('places in China are moved as maps there move them', () => {
  // The widely published pair for Tian’anmen: 39.907333, 116.391083 by satellite lies at 39.908737, 116.397327 on the map.
  const tiananmen = toGcj02({ latitude: 39.907333, longitude: 116.391083 })
  expect(metres(tiananmen, { latitude: 39.908737, longitude: 116.397327 })).toBeLessThan(10)
  const shanghai = { latitude: 31.2304, longitude: 121.4737 }
  const moved = metres(toGcj02(shanghai), shanghai)
  expect(moved).toBeGreaterThan(300)
  expect(moved).toBeLessThan(700)
})

test('elsewhere they stay', () => {
  for (const place of [
    { latitude: 48.8584, longitude: 2.2945 },
    { latitude: -33.8568, longitude: 151.2153 },
  ])
    expect(toGcj02(place)).toEqual(place)
})
