/** What a machine can see to be wrong with a page: it runs in the page and refers to nothing outside itself. */
export function lookAtPage(): { lang: string; title: string; text: string; faults: string[] } {
  const faults: string[] = []
  const shown = (element: Element): boolean =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    element.getBoundingClientRect().width > 0
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth > clientWidth) {
    const wide = [...document.body.querySelectorAll('*')]
      .filter((one) => one.getBoundingClientRect().right > clientWidth + 1 && shown(one))
      .map((one) => `${one.tagName.toLowerCase()}.${one.getAttribute('class') ?? ''}`)
    faults.push(`the page scrolls sideways: ${scrollWidth} > ${clientWidth} (${wide.slice(0, 4).join(' ')})`)
  }
  const heads = [...document.querySelectorAll('h1')].filter(shown)
  if (heads.length !== 1) faults.push(`${heads.length} h1`)
  const textOf = (id: string): string => document.querySelector(`#${CSS.escape(id)}`)?.textContent ?? ''
  const nameOf = (element: Element): string => {
    const labelled = element.getAttribute('aria-labelledby')?.split(' ').map(textOf).join(' ') ?? ''
    const labels = 'labels' in element ? [...((element as HTMLInputElement).labels ?? [])] : []
    const pictures = [...element.querySelectorAll('img[alt], svg[aria-label]')]
    return [
      element.getAttribute('aria-label') ?? '',
      labelled,
      ...labels.map((label) => label.textContent),
      element.tagName === 'INPUT' ? '' : element.textContent,
      ...pictures.map((one) => one.getAttribute('alt') ?? one.getAttribute('aria-label') ?? ''),
      element.getAttribute('title') ?? '',
    ].join('')
  }
  const controls = 'input, select, textarea, button, a[href], [role=button], [role=checkbox], [role=tab], [role=dialog]'
  for (const one of document.querySelectorAll(controls))
    if (shown(one) && nameOf(one).trim() === '') faults.push(`no name: ${one.outerHTML.slice(0, 160)}`)
  for (const one of document.querySelectorAll('img:not([alt])')) faults.push(`no alt: ${one.outerHTML.slice(0, 160)}`)
  const ids = [...document.querySelectorAll('[id]:not(svg *)')].map((one) => one.id)
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`two elements are #${id}`)
  // What is said to be in another language (a message as an employee gets it) is not judged.
  const others = [...document.querySelectorAll('body [lang]')].map((one) => (one as HTMLElement).innerText)
  const text = others.reduce((all, one) => all.replace(one, ''), document.body.innerText)
  return { lang: document.documentElement.lang, title: document.title, text, faults }
}
