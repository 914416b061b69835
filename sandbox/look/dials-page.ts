import { html, type Markup } from './html.ts'
import { foldingTable } from './table.ts'

/** Which numbers and texts a fault takes besides how often. */
export type DialField = 'path' | 'delayMs' | 'copies' | 'errcode'

/** One kind of fault in words. */
export interface Dial {
  readonly kind: string
  readonly name: string
  readonly does: string
  readonly fields: readonly DialField[]
  /** How often it happens unless something else is asked for. */
  readonly times?: number
}
export interface DialGroup {
  readonly title: string
  readonly lead: string
  readonly dials: readonly Dial[]
}

/** A fault that is on. */
export interface ActiveFault {
  readonly kind: string
  readonly path: string | null
  readonly times: number
  readonly delayMs: number
  readonly copies: number
  readonly errcode: number | null
}

/** The panel of dials: what is on, what stands between, then every kind with a form for it. */
export function dialsPanel(
  groups: readonly DialGroup[],
  active: readonly ActiveFault[],
  paths: readonly (readonly [string, string])[],
  between: Markup,
): Markup {
  const names = new Map(groups.flatMap((group) => group.dials.map((dial) => [dial.kind, dial.name] as const)))
  return html`${activePanel(active, names)}${between}${groups.map(
    (group) =>
      html`<section class="panel">
        <h2>${group.title}</h2>
        <p class="soft">${group.lead}</p>
        ${group.dials.map((dial) => dialRow(dial, paths))}
      </section>`,
  )}`
}

function activePanel(active: readonly ActiveFault[], names: ReadonlyMap<string, string>): Markup {
  const stamp = active.map((fault) => `${fault.kind}${fault.times}`).join(',')
  if (active.length === 0)
    return html`<section class="panel" data-live="${stamp}">
      <h2>正在生效</h2>
      <p class="soft">没有打开的故障，一切照常。</p>
    </section>`
  const rows = active.map((fault) => {
    const details = [
      fault.delayMs > 0 ? `${fault.delayMs} 毫秒` : '',
      fault.errcode === null ? '' : `errcode ${fault.errcode}`,
      fault.copies > 1 ? `${fault.copies} 份` : '',
    ]
    return html`<tr>
      <td data-name="故障">
        <span>${names.get(fault.kind) ?? fault.kind} <code class="soft">${fault.kind}</code></span>
      </td>
      <td data-name="接口">${fault.path ?? '全部'}</td>
      <td data-name="还有">${fault.times} 次</td>
      <td data-name="参数">${details.filter(Boolean).join('，') || '无'}</td>
    </tr>`
  })
  return html`<section class="panel" data-live="${stamp}">
    <h2>正在生效</h2>
    ${foldingTable(['故障', '接口', '还有', '参数'], rows)}
    <form method="post" action="/dials/clear" style="margin-top:12px"><button>全部关闭</button></form>
  </section>`
}

function dialRow(dial: Dial, paths: readonly (readonly [string, string])[]): Markup {
  const id = `dial-${dial.kind}`
  const number = (name: string, label: string, value: number) =>
    html`<label
      >${label}<input
        type="number"
        name="${name}"
        value="${value}"
        ${name === 'errcode' ? null : html`min="${name === 'delayMs' ? 0 : 1}"`}
        required
    /></label>`
  const options = paths.map(([value, label]) => html`<option value="${value}">${label}</option>`)
  const fields = dial.fields.map((field) => {
    if (field === 'path')
      return html`<label class="wide"
        >接口<select name="path">
          ${options}
        </select></label
      >`
    if (field === 'delayMs') return number('delayMs', '毫秒', 3000)
    return field === 'copies' ? number('copies', '份数', 20) : number('errcode', 'errcode', 45009)
  })
  return html`<div class="dial">
    <div>
      <h3 id="${id}">${dial.name}</h3>
      <p>${dial.does}</p>
    </div>
    <form method="post" action="/dials" aria-labelledby="${id}">
      <input
        type="hidden"
        name="kind"
        value="${dial.kind}"
      />${fields}${number('times', '次数', dial.times ?? 1)}<button>打开</button>
    </form>
  </div>`
}

/** The clock of one half with what it moves and what it does not, and the form that moves it. */
export function clockPanel(clock: { now(): number; aheadMs(): number }, moves: string, stays: string): Markup {
  const ahead = clock.aheadMs()
  const hours = Math.floor(ahead / 3_600_000)
  const rest = Math.floor((ahead % 3_600_000) / 60_000)
  const state =
    ahead === 0 ? '与真实时间一致' : `比真实时间快 ${hours} 小时 ${rest} 分 ${Math.floor(ahead / 1000) % 60} 秒`
  const now = new Date(clock.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const jump = (advanceMs: number, label: string) =>
    html`<button name="advanceMs" value="${advanceMs}">${label}</button>`
  return html`<section class="panel" id="clock">
    <h2>时钟</h2>
    <dl class="facts">
      <dt>沙箱时间</dt>
      <dd class="num">${now}（北京时间）</dd>
      <dt>状态</dt>
      <dd>${state}</dd>
      <dt>会随之变化</dt>
      <dd>${moves}</dd>
      <dt>不会变化</dt>
      <dd>${stays}</dd>
    </dl>
    <form method="post" action="/clock" class="acts">
      ${jump(60_000, '拨快 1 分钟')}${jump(300_000, '5 分钟')}${jump(3_600_000, '1 小时')}${jump(7_200_000, '2 小时')}${jump(86_400_000, '1 天')}
    </form>
    <p class="soft" style="margin-top:12px">只能往前拨；重启沙箱即回到真实时间，同时清空这里的一切。</p>
    <p class="en" lang="en">The clock only moves forward. Signatures always carry the real time, so they stay valid.</p>
  </section>`
}
