/** The value of an element: text goes in CDATA, numbers go bare, a list repeats the element. */
export type XmlValue = string | number | readonly XmlValue[] | XmlElements
export interface XmlElements {
  readonly [name: string]: XmlValue
}

/** Writes elements as WeCom does (2.5, 2.9): without a declaration, text in CDATA. */
export function writeXml(elements: XmlElements): string {
  return `<xml>${inner(elements)}</xml>`
}

/** The same text with its ChangeType written without CDATA, as WeCom often does (2.9). */
export function bareChangeType(plain: string): string {
  return plain.replace(/<ChangeType><!\[CDATA\[(\w*)\]\]><\/ChangeType>/, '<ChangeType>$1</ChangeType>')
}

function inner(elements: XmlElements): string {
  return Object.entries(elements)
    .map(([name, value]) => element(name, value))
    .join('')
}

function element(name: string, value: XmlValue): string {
  if (isList(value)) return value.map((one) => element(name, one)).join('')
  if (typeof value === 'number') return `<${name}>${value}</${name}>`
  if (typeof value === 'string') return `<${name}><![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]></${name}>`
  return `<${name}>${inner(value)}</${name}>`
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value)
}
