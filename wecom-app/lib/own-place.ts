/** Where a scanned text leads inside this site; null for any other address, however much it looks like one of ours. */
export function ownPlace(text: string): string | null {
  const bare = text.trim()
  if (!URL.canParse(bare)) return null
  const url = new URL(bare)
  const plain = url.username === '' && url.password === '' && /^https?:$/.test(url.protocol)
  return plain && url.origin === location.origin ? `${url.pathname}${url.search}${url.hash}` : null
}
