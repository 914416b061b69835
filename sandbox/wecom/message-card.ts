import { html, type Markup } from '../look/html.ts'
import type { Received } from './message-state.ts'
import { buttonsOf, cardOf, linksOf, menuOf, questionsOf, replacedBy, type CardButton } from './press-card.ts'

type Body = Readonly<Record<string, unknown>>

/** The text of a message without its tags. */
export function plainText(text: string): string {
  return text.replace(/<br\s*\/?>|<\/div>\s*(?=<div)/gi, '\n').replace(/<[^>]*>/g, '')
}

/** A message as its receiver sees it: with an update in place, and with what can be pressed. */
export function messageCard(received: Received, base: string): Markup {
  const { message } = received
  const body = cardOf(received)
  if (message.msgtype !== 'template_card') return linked(received, base, plainParts(message.msgtype, body, base))
  const pressed = pressable(received, base)
  if (!pressed) return linked(received, base, cardParts(body))
  const parts = cardParts(body)
  const inner =
    urlOf(received) === null ? parts : html`<a class="plain" href="${openHref(received, base)}">${parts}</a>`
  return html`<div class="card" data-message="${message.id}">${inner}${pressed}</div>`
}

function linked(received: Received, base: string, parts: Markup): Markup {
  if (urlOf(received) === null)
    return html`<div class="card" data-message="${received.message.id}">
      ${parts}
      <div class="end"></div>
    </div>`
  return html`<a class="card" data-message="${received.message.id}" href="${openHref(received, base)}"
    >${parts}
    <div class="more"><span>查看详情</span><span aria-hidden="true">›</span></div></a
  >`
}

function openHref({ message }: Received, base: string): string {
  return `${base}/open?message=${encodeURIComponent(message.id)}`
}

/** Where a tap leads: the address of the card that stands there now. */
export function urlOf({ message, update }: Received): string | null {
  return update && 'body' in update ? update.url : message.url
}

/** Buttons, questions and corner menu of a card; null where there are none. */
function pressable(received: Received, base: string): Markup | null {
  const card = cardOf(received)
  const [buttons, menu] = [buttonsOf(card), menuOf(card)]
  if (buttons.length + menu.length === 0) return null
  const done = replacedBy(received)
  if (done !== null) return html`<div class="press"><button disabled>${done}</button></div>`
  const questions = questionsOf(card).map((question) => {
    const name = `option.${question.key}`
    const options = question.options.map((option) => {
      const chosen = option.chosen ? html`checked` : null
      const type = question.several ? 'checkbox' : 'radio'
      return html`<label class="pick"
        ><input type="${type}" name="${name}" value="${option.id}" ${chosen} /> ${option.text}</label
      >`
    })
    return html`<fieldset>
      <legend>${question.title || '请选择'}</legend>
      ${options}
    </fieldset>`
  })
  const button = (one: CardButton, look: string) =>
    html`<button class="${look}" name="key" value="${one.key}">${one.text}</button>`
  const links = linksOf(card).map(
    ({ text }, index) => html`<a class="button" href="${openHref(received, base)}&link=${index}">${text}</a>`,
  )
  const corner =
    menu.length > 0
      ? html`<details>
          <summary>更多操作</summary>
          ${menu.map((one) => button(one, ''))}
        </details>`
      : null
  return html`<form class="press" method="post" action="${base}/press">
    <input type="hidden" name="message" value="${received.message.id}" />
    ${questions}${buttons.map((one, index) => button(one, lookOf(one, index)))}${links}${corner}
  </form>`
}

/** Styles of 5.2: 1 blue, 2 grey, 3 red, 4 green; the first button is blue where the app wished nothing. */
function lookOf(button: CardButton, index: number): string {
  if (button.style === 3) return 'red'
  return button.style === 1 && index === 0 ? 'main' : ''
}

function plainParts(msgtype: string, body: Body, base: string): Markup {
  const lines = (text: string) =>
    plainText(text)
      .split('\n')
      .map((line, index) => (index > 0 ? html`<br />${line}` : html`${line}`))
  if (typeof body['content'] === 'string') return html`<div class="in"><p>${lines(body['content'])}</p></div>`
  if (Array.isArray(body['articles'])) return html`${(body['articles'] as Body[]).map(article)}`
  if (msgtype === 'image')
    return html`<img
      src="${base}/media?id=${encodeURIComponent(textAt(body, 'media_id'))}"
      alt="${textAt(body, 'filename')}"
    />`
  if (typeof body['media_id'] === 'string')
    return html`<div class="in">
      <h2>${textAt(body, 'title') || textAt(body, 'filename')}</h2>
      <p class="soft">
        <a href="${base}/media?id=${encodeURIComponent(body['media_id'])}">${fileWords[msgtype] ?? '文件'}，点开查看</a>
      </p>
    </div>`
  const rows = listAt(body, 'content_item').map((item) => row(textAt(item, 'key'), textAt(item, 'value')))
  return html`<div class="in">
    <h2>${plainText(textAt(body, 'title'))}</h2>
    <p class="soft">${lines(textAt(body, 'description'))}</p>
    ${rows.length > 0 ? html`<dl class="rows">${rows}</dl>` : null}
    ${msgtype === 'miniprogram_notice' ? html`<p class="soft">小程序消息</p>` : null}
  </div>`
}

const fileWords: Readonly<Record<string, string>> = { file: '文件', voice: '语音', video: '视频' }

function article(one: Body): Markup {
  const picture = textAt(one, 'picurl')
  return html`${picture === '' ? null : html`<img src="${picture}" alt="" />`}
    <div class="in">
      <h2>${textAt(one, 'title')}</h2>
      <p class="soft">${textAt(one, 'description')}</p>
    </div>`
}

function row(name: string, value: string): Markup {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`
}

function cardParts(body: Body): Markup {
  const [title, emphasis, quote] = ['main_title', 'emphasis_content', 'quote_area'].map((name) => objectAt(body, name))
  const image = textAt(objectAt(body, 'card_image'), 'url') || textAt(objectAt(body, 'image_text_area'), 'image_url')
  const rows = listAt(body, 'horizontal_content_list').map((one) => row(textAt(one, 'keyname'), textAt(one, 'value')))
  const notes = listAt(body, 'vertical_content_list').map(
    (one) => html`<p>${textAt(one, 'title')}<br /><span class="soft">${textAt(one, 'desc')}</span></p>`,
  )
  const line = (name: string, text: string) => (text === '' ? null : html`<p class="${name}">${text}</p>`)
  const heading = textAt(title, 'title')
  return html`<div class="in">
      ${line('source', textAt(objectAt(body, 'source'), 'desc'))}${heading ? html`<h2>${heading}</h2>` : null}${line('soft', textAt(title, 'desc'))}
    </div>
    ${image ? html`<img src="${image}" alt="" style="margin-top:10px" />` : null}
    <div class="in" style="padding-top:0">
      ${line('big', textAt(emphasis, 'title'))}${textAt(emphasis, 'desc') ? html`<p class="soft" style="text-align:center">${textAt(emphasis, 'desc')}</p>` : null}${line('', textAt(quote, 'quote_text'))}${line('', textAt(body, 'sub_title_text'))}${notes}${rows.length > 0 ? html`<dl class="rows">${rows}</dl>` : null}
    </div>`
}

function objectAt(value: Body, name: string): Body {
  const inner = value[name]
  return typeof inner === 'object' && inner !== null ? (inner as Body) : {}
}

function textAt(value: Body | undefined, name: string): string {
  const inner = value?.[name]
  return typeof inner === 'string' ? inner : ''
}

function listAt(value: Body, name: string): readonly Body[] {
  const inner = value[name]
  return Array.isArray(inner) ? (inner as Body[]) : []
}
