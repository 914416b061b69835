const modal = '.t-dialog, .t-drawer'
const focusable = 'a[href], button:not(:disabled), input:not(:disabled), select, textarea, [tabindex="0"]'

/**
 * Makes the dialogs and drawers of the component library what they are to a keyboard and a screen reader: named, modal,
 * focused when they open, with Tab kept inside, and giving the focus back when they close. Called once, at start.
 */
export function watchDialogs(closeText: () => string): void {
  let lastOutside: Element | null = null
  let openers: { readonly dialog: HTMLElement; readonly opener: Element | null }[] = []
  const look = (): void => {
    const open = [...document.querySelectorAll<HTMLElement>(modal)].filter(isOpen)
    for (const { dialog, opener } of openers)
      if (!open.includes(dialog) && opener instanceof HTMLElement && opener.isConnected) opener.focus()
    for (const dialog of open) if (!openers.some((one) => one.dialog === dialog)) begin(dialog, closeText())
    openers = open.map((dialog) => openers.find((one) => one.dialog === dialog) ?? { dialog, opener: lastOutside })
  }
  const options = { childList: true, subtree: true, attributes: true, attributeFilter: ['class', 'style'] }
  let due = false
  new MutationObserver(() => {
    if (due) return
    due = true
    requestAnimationFrame(() => {
      due = false
      look()
    })
  }).observe(document.body, options)
  document.addEventListener('focusin', ({ target }) => {
    if (target instanceof Element && target.closest(modal) === null) lastOutside = target
  })
  document.addEventListener('keydown', (event) => {
    const last = openers.at(-1)?.dialog
    if (event.key === 'Tab' && last !== undefined) keepInside(event, last)
    if (event.key === 'Enter' && event.target instanceof Element && event.target.closest('.t-select')) choose(event)
  })
}

/** The library's lists move by the arrow keys, but its inputs keep Enter to themselves: what is marked is chosen here. */
function choose(event: KeyboardEvent): void {
  const marked = document.querySelectorAll<HTMLElement>('.t-select__dropdown .t-select-option__hover')
  const option = [...marked].find((one) => one.checkVisibility())
  if (option === undefined) return
  event.preventDefault()
  option.click()
}

function isOpen(element: HTMLElement): boolean {
  const shown = element.checkVisibility({ visibilityProperty: true })
  return element.classList.contains('t-drawer') ? shown && element.classList.contains('t-drawer--open') : shown
}

/** Names a dialog that has opened and moves the focus into it. */
function begin(dialog: HTMLElement, closeText: string): void {
  const panel = dialog.querySelector<HTMLElement>('.t-drawer__content-wrapper') ?? dialog
  panel.setAttribute('role', 'dialog')
  panel.setAttribute('aria-modal', 'true')
  const header = panel.querySelector<HTMLElement>('.t-dialog__header-content, .t-drawer__header')
  if (header !== null) {
    header.id ||= `dialog-${Math.random().toString(36).slice(2)}`
    panel.setAttribute('aria-labelledby', header.id)
  }
  const close = panel.querySelector<HTMLElement>('.t-dialog__close, .t-drawer__close-btn')
  if (close !== null) makeButton(close, closeText)
  if (panel.contains(document.activeElement)) return
  panel.tabIndex = -1
  // While what is asked for still loads, the buttons below it are not what one came for.
  const first = panel.querySelector('.skeleton') === null ? stopsIn(panel).find((one) => one !== close) : null
  ;(first ?? panel).focus()
}

/** The library's crosses are plain boxes: here they are pressed by keyboard too. */
function makeButton(close: HTMLElement, text: string): void {
  close.setAttribute('role', 'button')
  close.setAttribute('aria-label', text)
  close.tabIndex = 0
  close.onkeydown = (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    close.click()
  }
}

function stopsIn(panel: HTMLElement): HTMLElement[] {
  return [...panel.querySelectorAll<HTMLElement>(focusable)].filter((one) => one.checkVisibility())
}

function keepInside(event: KeyboardEvent, dialog: HTMLElement): void {
  const stops = stopsIn(dialog)
  const [first, last] = [stops[0], stops.at(-1)]
  const here = document.activeElement
  if (first === undefined || last === undefined) return event.preventDefault()
  const leaves = !dialog.contains(here) || here === (event.shiftKey ? first : last)
  if (!leaves) return
  event.preventDefault()
  ;(event.shiftKey ? last : first).focus()
}
