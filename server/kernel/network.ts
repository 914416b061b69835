import { isIPv6 } from 'node:net'

/** Groups of an IPv6 address that name the network: what one customer is given (RFC 6177 gives no less). */
const GROUPS = 4

/**
 * What one caller is counted by. An IPv4 address stands for itself; of IPv6 the network of 64 bits does, for whoever has
 * one address of it has 2^64. What is no address stays as it is.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const bare = plainAddress(address)
  if (!isIPv6(bare)) return bare === '' ? address : bare
  const [front, back] = bare.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = back === undefined ? 0 : 8 - (front?.length ?? 0) - back.length
  const groups = [...(front ?? []), ...Array.from({ length: zeros }, () => '0'), ...(back ?? [])]
  const network = groups.slice(0, GROUPS).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}

/** An address without its zone; an IPv4 address that came in the form of IPv6 as what it is. */
export function plainAddress(address: string): string {
  const bare = address.split('%', 1)[0] ?? ''
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare
}
