import { html, type Markup } from './html.ts'

/** A column's name; `num`: its cells stand to the right. */
type Head = string | { readonly num: string }

/** A table that folds into cards on a phone: each cell of its rows names its column in `data-name`. */
export function foldingTable(heads: readonly Head[], rows: readonly Markup[]): Markup {
  return html`<table class="fold">
    <thead>
      <tr>
        ${heads.map((head) => (typeof head === 'string' ? html`<th>${head}</th>` : html`<th class="num">${head.num}</th>`))}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}
