type Card = Readonly<Record<string, unknown>>

const cardTypes = [
  'text_notice',
  'news_notice',
  'button_interaction',
  'vote_interaction',
  'multiple_interaction',
] as const
type CardType = (typeof cardTypes)[number]

/** What is wrong with a template_card, as WeCom's code (protocol sheet 5.2), or null. `mediaLives` knows media ids. */
export function wrongCard(value: unknown, mediaLives: (id: string) => boolean): number | null {
  if (!isObject(value)) return 42031
  const type = cardTypes.find((name) => name === value['card_type'])
  if (!type) return 42031
  return (
    wrongTask(value, type) ??
    wrongTitle(value, type) ??
    wrongAction(value, type) ??
    wrongPicture(value, type) ??
    wrongRows(value, mediaLives) ??
    wrongMenu(value) ??
    wrongQuestions(value, type)
  )
}

/** Whether pressing something on the card tells the app. Such a card is sent with a response_code. */
export function isInteractive(card: Card): boolean {
  return String(card['card_type']).endsWith('_interaction') || isObject(card['action_menu'])
}

/** Where a tap on the card leads; null where it leads nowhere. */
export function cardUrl(card: Card): string | null {
  const action = card['card_action']
  return isObject(action) && action['type'] === 1 ? textOf(action, 'url') || null : null
}

function wrongTask(card: Card, type: CardType): number | null {
  const taskId = card['task_id']
  if (taskId === undefined) return type.endsWith('_interaction') || isObject(card['action_menu']) ? 42014 : null
  return typeof taskId === 'string' && /^[0-9A-Za-z_\-@]{1,128}$/.test(taskId) ? null : 42014
}

function wrongTitle(card: Card, type: CardType): number | null {
  const main = card['main_title']
  if (isObject(main) && textOf(main, 'title') !== '') return null
  return type === 'text_notice' && textOf(card, 'sub_title_text') !== '' ? null : 42033
}

function wrongAction(card: Card, type: CardType): number | null {
  const action = card['card_action']
  if (action === undefined) return type.endsWith('_notice') ? 42045 : null
  if (!isObject(action)) return 42045
  const none = action['type'] === 0 || action['type'] === undefined
  if (none && type.endsWith('_interaction')) return null
  return wrongTarget(action, 42045)
}

/** Type 1 leads to a page, type 2 to a mini program. */
function wrongTarget(target: Card, other: number): number | null {
  if (target['type'] === 1) return isUrl(target['url']) ? null : 42028
  if (target['type'] === 2) return textOf(target, 'appid') === '' ? 42030 : null
  return other
}

function wrongPicture(card: Card, type: CardType): number | null {
  const [image, area] = [card['card_image'], card['image_text_area']]
  if (image !== undefined) {
    if (!isObject(image) || !isUrl(image['url'])) return 42044
    const ratio = image['aspect_ratio']
    if (ratio !== undefined && !(typeof ratio === 'number' && ratio >= 1.3 && ratio <= 2.25)) return 40058
  }
  if (area !== undefined && (!isObject(area) || !isUrl(area['image_url']))) return 42044
  return type === 'news_notice' && image === undefined && area === undefined ? 42044 : null
}

function wrongRows(card: Card, mediaLives: (id: string) => boolean): number | null {
  const horizontal = wrongList(card['horizontal_content_list'], 0, 6, 42035, (row) => {
    if (textOf(row, 'keyname') === '') return 42027
    if (row['type'] === 1) return isUrl(row['url']) ? null : 42028
    if (row['type'] === 3) return textOf(row, 'userid') === '' ? 42050 : null
    if (row['type'] !== 2) return row['type'] === undefined || row['type'] === 0 ? null : 40058
    const media = textOf(row, 'media_id')
    return media === '' ? 42029 : mediaLives(media) ? null : 40007
  })
  const titled = (row: Card) => (textOf(row, 'title') === '' ? 42033 : null)
  return (
    horizontal ??
    wrongList(card['vertical_content_list'], 0, 4, 42036, titled) ??
    wrongList(card['jump_list'], 0, 3, 42042, (row) => {
      const none = row['type'] === undefined || row['type'] === 0
      return titled(row) ?? (none ? null : wrongTarget(row, 40058))
    })
  )
}

function wrongMenu(card: Card): number | null {
  const menu = card['action_menu']
  if (menu === undefined) return null
  if (!isObject(menu) || textOf(menu, 'desc') === '') return 40058
  const wrong = wrongList(menu['action_list'], 1, 3, 42037, (row) => {
    if (textOf(row, 'text') === '') return 42020
    const key = textOf(row, 'key')
    return key === '' ? 42019 : key.length > 1024 ? 42018 : null
  })
  return wrong ?? (repeats(menu['action_list'], 'key') ? 42051 : null)
}

function wrongQuestions(card: Card, type: CardType): number | null {
  switch (type) {
    case 'text_notice':
    case 'news_notice':
      return null
    case 'button_interaction':
      return wrongButtons(card)
    case 'vote_interaction':
      return wrongQuestion(card['checkbox'], 20) ?? wrongSubmit(card['submit_button'])
    case 'multiple_interaction':
      return (
        wrongList(card['select_list'], 1, 3, 42047, (one) => wrongQuestion(one, 10)) ??
        wrongSubmit(card['submit_button'])
      )
  }
}

function wrongButtons(card: Card): number | null {
  const wrong = wrongList(card['button_list'], 1, 6, 42038, (button) => {
    if (textOf(button, 'text') === '') return 42038
    if (button['type'] === 1) return isUrl(button['url']) ? null : 42028
    const key = textOf(button, 'key')
    return key === '' || Buffer.byteLength(key) > 1024 ? 42039 : null
  })
  const selection = card['button_selection']
  return (
    wrong ??
    (repeats(card['button_list'], 'key') ? 42039 : null) ??
    (selection === undefined ? null : wrongQuestion(selection, 10))
  )
}

function wrongQuestion(question: unknown, mostOptions: number): number | null {
  if (!isObject(question) || textOf(question, 'question_key') === '') return 42043
  const wrong = wrongList(question['option_list'], 1, mostOptions, 42037, (option) => {
    const id = textOf(option, 'id')
    if (id === '' || Buffer.byteLength(id) > 128) return 42040
    return textOf(option, 'text') === '' ? 42041 : null
  })
  return wrong ?? (repeats(question['option_list'], 'id') ? 42040 : null)
}

function wrongSubmit(button: unknown): number | null {
  if (!isObject(button) || textOf(button, 'text') === '') return 42049
  const key = textOf(button, 'key')
  return key === '' || Buffer.byteLength(key) > 1024 ? 42046 : null
}

function wrongList(
  value: unknown,
  least: number,
  most: number,
  length: number,
  wrong: (one: Card) => number | null,
): number | null {
  if (value === undefined && least === 0) return null
  if (!Array.isArray(value) || value.length < least || value.length > most) return length
  for (const one of value as unknown[]) {
    const code = isObject(one) ? wrong(one) : length
    if (code !== null) return code
  }
  return null
}

function repeats(list: unknown, name: string): boolean {
  const values = (list as Card[]).map((one) => one[name]).filter((value) => value !== undefined)
  return new Set(values).size < values.length
}

function isObject(value: unknown): value is Card {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: Card, name: string): string {
  const inner = value[name]
  return typeof inner === 'string' ? inner : ''
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 2048 && /^https?:\/\//.test(value)
}
