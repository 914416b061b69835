import { expect, test } from 'vitest'
import { networkOf } from './network.ts'

test('a household of IPv6 is one, however many addresses it has; IPv4 stands for itself, in either form', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:0:7::1', '2001:db8:0:7::/64'],
    ['2001:0DB8::7:aaaa:bbbb:cccc:dddd', '2001:db8:0:7::/64'],
    ['2001:db8:0:7:ffff:ffff:ffff:ffff', '2001:db8:0:7::/64'],
    ['2001:db8:0:8::1', '2001:db8:0:8::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
    ['not an address', 'not an address'],
  ]
  for (const [address, network] of rows) expect(networkOf(address)).toBe(network)
})
