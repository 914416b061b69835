import { XMLParser } from 'fast-xml-parser'
import type { WecomValue } from '../channels/ports.ts'
import { NoticeRefused } from './outside.ts'

/** The elements of a callback of WeCom or WeChat by name, as they came. */
export type Elements = { readonly [name: string]: WecomValue }

/** Deeper than any callback of WeCom: MemChangeList/Item, SelectedItems/SelectedItem/OptionIds/OptionId. */
const DEEPEST = 10
/** Values stay text, for a MsgId is beyond the whole numbers of JavaScript; nothing is expanded, for nothing may be. */
const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  processEntities: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
})

/**
 * The elements below `<xml>` by name (protocols wecom 2.9): with or without CDATA, names compared as they are, a list
 * where an element repeats. Throws NoticeRefused `malformed` for anything that is no such text, for a DTD or an entity.
 */
export function readEvent(message: string): Elements {
  const text = message.trim()
  if (/<!DOCTYPE|<!ENTITY/i.test(withoutCdata(text))) throw new NoticeRefused('malformed')
  let parsed: unknown
  try {
    parsed = parser.parse(text)
  } catch {
    throw new NoticeRefused('malformed')
  }
  const root = isElements(parsed) ? parsed['xml'] : undefined
  if (root === '') return {}
  if (!isElements(root)) throw new NoticeRefused('malformed')
  return elementsOf(root, 0)
}

/** What a callback is about: its event, suite event or message type in lower case; `other` when it names none. */
export function kindOf(elements: Elements): string {
  return nameOf(elements['Event'] ?? elements['InfoType'] ?? elements['MsgType']) ?? 'other'
}

/** ChangeType in lower case; null where there is none. */
export function changeTypeOf(elements: Elements): string | null {
  return nameOf(elements['ChangeType'])
}

/** The elements, or none at all where the text is not what it should be. */
export function elementsOrNone(message: string): Elements {
  try {
    return readEvent(message)
  } catch (error) {
    if (error instanceof NoticeRefused) return {}
    throw error
  }
}

function nameOf(value: WecomValue | undefined): string | null {
  const name = typeof value === 'string' ? value.toLowerCase() : ''
  return /^[a-z0-9_]{1,60}$/.test(name) ? name : null
}

/** What a person wrote stands in CDATA and may hold anything. */
const withoutCdata = (text: string): string => text.replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, '')

function elementsOf(value: Readonly<Record<string, unknown>>, depth: number): Elements {
  const names = Object.keys(value).filter((name) => name !== '#text')
  return Object.fromEntries(names.map((name) => [name, valueOf(value[name], depth + 1)]))
}

function valueOf(value: unknown, depth: number): WecomValue {
  if (depth > DEEPEST) throw new NoticeRefused('malformed')
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((each) => valueOf(each, depth))
  if (isElements(value)) return elementsOf(value, depth)
  throw new NoticeRefused('malformed')
}

function isElements(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
