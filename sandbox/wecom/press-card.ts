import { tellApp } from './callback.ts'
import type { XmlElements } from './event-xml.ts'
import { userIdFor } from './ids.ts'
import type { Received } from './message-state.ts'
import { newResponseCode } from './send.ts'
import { appOf, type Corp, type Member, type WecomState } from './state.ts'

type Card = Readonly<Record<string, unknown>>

/** Something on a card that can be pressed. `event` is what the app hears of it. */
export interface CardButton {
  readonly key: string
  readonly text: string
  readonly event: 'template_card_event' | 'template_card_menu_event'
  /** 1 to 4 as the app wished: blue, grey, red, green. */
  readonly style: number
}

/** A question that is answered before the button is pressed. */
export interface CardQuestion {
  readonly key: string
  readonly title: string
  readonly several: boolean
  readonly options: readonly { readonly id: string; readonly text: string; readonly chosen: boolean }[]
}

/** The card as its receiver sees it now: after an update, the other one. */
export function cardOf(received: Received): Card {
  const { update, message } = received
  return update && 'body' in update ? update.body : message.body
}

/** The words that an update put in place of the buttons; null while they can be pressed. */
export function replacedBy(received: Received): string | null {
  if (received.update && 'replaceName' in received.update) return received.update.replaceName
  const text = cardOf(received)['replace_text']
  return typeof text === 'string' ? text : null
}

/** What can be pressed on a card. Buttons of type 1 lead to a page and tell nothing. */
export function buttonsOf(card: Card): readonly CardButton[] {
  const submit = objectAt(card, 'submit_button')
  const own = listAt(card, 'button_list').filter((one) => one['type'] !== 1)
  return [...own, ...(submit ? [submit] : [])].map((one) => ({
    key: textAt(one, 'key'),
    text: textAt(one, 'text'),
    event: 'template_card_event',
    style: typeof one['style'] === 'number' ? one['style'] : 1,
  }))
}

/** The buttons of type 1: each opens its address. */
export function linksOf(card: Card): readonly { readonly text: string; readonly url: string }[] {
  const links = listAt(card, 'button_list').filter((one) => one['type'] === 1)
  return links.map((one) => ({ text: textAt(one, 'text'), url: textAt(one, 'url') }))
}

/** The entries of the menu in a card's corner. */
export function menuOf(card: Card): readonly CardButton[] {
  const menu = objectAt(card, 'action_menu')
  const list = menu ? listAt(menu, 'action_list') : []
  return list.map((one) => ({
    key: textAt(one, 'key'),
    text: textAt(one, 'text'),
    event: 'template_card_menu_event',
    style: 2,
  }))
}

/** The questions of a card. */
export function questionsOf(card: Card): readonly CardQuestion[] {
  const [selection, checkbox] = [objectAt(card, 'button_selection'), objectAt(card, 'checkbox')]
  const questions = [...(selection ? [selection] : []), ...(checkbox ? [checkbox] : []), ...listAt(card, 'select_list')]
  return questions.map((one) => ({
    key: textAt(one, 'question_key'),
    title: textAt(one, 'title'),
    several: one === checkbox && one['mode'] === 1,
    options: listAt(one, 'option_list').map((option) => ({
      id: textAt(option, 'id'),
      text: textAt(option, 'text'),
      chosen: option['is_checked'] === true || one['selected_id'] === option['id'],
    })),
  }))
}

/**
 * A member presses a button: the app hears it with a fresh ResponseCode (protocol sheet 2.10). Throws RangeError when
 * there is nothing to press, because the card was recalled or has been answered.
 */
export function pressCard(
  state: WecomState,
  corp: Corp,
  member: Member,
  received: Received,
  pressed: { readonly key: string; readonly options: Readonly<Record<string, readonly string[]>> },
): void {
  const { message } = received
  const app = appOf(corp, message.agentId)
  const card = cardOf(received)
  const button = [...buttonsOf(card), ...menuOf(card)].find((one) => one.key === pressed.key)
  if (!app || !button || message.recalledAtMs !== null || replacedBy(received) !== null)
    throw new RangeError('there is no such button to press')
  const chosen = questionsOf(card).flatMap((question) => {
    const ids = (pressed.options[question.key] ?? []).filter((id) => question.options.some((one) => one.id === id))
    return ids.length === 0 ? [] : [{ QuestionKey: question.key, OptionIds: { OptionId: ids } }]
  })
  const elements: XmlElements = {
    EventKey: button.key,
    TaskId: message.taskId ?? '',
    CardType: textAt(card, 'card_type'),
    ResponseCode: newResponseCode(app, message, state.now()),
    ...(chosen.length > 0 ? { SelectedItems: { SelectedItem: chosen } } : {}),
  }
  tellApp(state, corp, app, { name: button.event, from: userIdFor(app, member.userid), elements, ofApp: true })
}

function objectAt(value: Card, name: string): Card | null {
  const inner = value[name]
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Card) : null
}

function listAt(value: Card, name: string): readonly Card[] {
  const inner = value[name]
  return Array.isArray(inner) ? (inner as Card[]) : []
}

function textAt(value: Card, name: string): string {
  const inner = value[name]
  return typeof inner === 'string' ? inner : ''
}
