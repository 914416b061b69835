import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { plainAddress } from '../../kernel/network.ts'

/** Special-purpose networks (RFC 6890 and the IANA registry): ours, a neighbour's or nobody's, never a merchant's server. */
const special = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(network, bits)
/** Of what is public in IPv6 (2000::/3): networks that stand for others (Teredo, 6to4), and documentation. */
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(network, bits, 'ipv6')
const publicIpv6 = new BlockList()
publicIpv6.addSubnet('2000::', 3, 'ipv6')

/** Whether an IP address is on the public internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  const bare = plainAddress(address)
  if (isIPv4(bare)) return !special.check(bare)
  return isIPv6(bare) && publicIpv6.check(bare, 'ipv6') && !special.check(bare, 'ipv6')
}
