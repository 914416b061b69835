import { html, type Markup } from '../look/html.ts'
import type { Settings } from './settings.ts'

const switches = [
  ['trustedIps', '检查可信 IP', '调用来自名单之外的地址时回答 60020。'],
  ['overlapTokens', '新旧令牌重叠', '旧令牌过期后还能用 5 分钟。真实情况没有公开。'],
  ['lowerCipherIds', '密文账号转小写', '服务商应用的 invaliduser 里，密文账号也变成小写。'],
] as const satisfies readonly (readonly [keyof Settings, string, string])[]
const limits = [
  ['wrongSecrets', '密钥错几次后锁定地址'],
  ['callsPerMinute', '每接口每分钟调用'],
  ['callsPerHour', '每接口每小时调用'],
  ['parallelCalls', '每接口同时调用'],
  ['corpTicketsPerHour', '每企业每小时 JS 票据'],
  ['appTicketsPerHour', '每应用每小时 JS 票据'],
  ['imagesPerDay', '每天上传图片'],
  ['mostDetails', '成员详情一次最多'],
] as const satisfies readonly (readonly [keyof Settings, string])[]

/** The form of the limits and switches. */
export function settingsPanel(settings: Settings): Markup {
  const options = (on: boolean) =>
    html`<option value="1" ${on ? html`selected` : null}>是</option>
      <option value="0" ${on ? null : html`selected`}>否</option>`
  const same = settings.duplicateAnswer === 'same'
  return html`<section class="panel">
    <h2>限额与开关</h2>
    <p class="soft">文档没有写明的地方，可以在这里换一种演法；测试时也可以把限额调低。重启沙箱即恢复。</p>
    <form method="post" action="/dials/settings" class="fields two">
      ${switches.map(
        ([name, label, does]) =>
          html`<label
            >${label}<select name="${name}">
              ${options(settings[name])}</select
            ><span class="soft">${does}</span></label
          >`,
      )}
      <label
        >重复消息的回答<select name="duplicateAnswer">
          <option value="same" ${same ? html`selected` : null}>与第一次相同</option>
          <option value="bare" ${same ? null : html`selected`}>只回答 errcode 0</option></select
        ><span class="soft">被排重挡下的发送得到什么回答。</span></label
      >
      ${limits.map(
        ([name, label]) =>
          html`<label
            >${label}<input type="number" name="${name}" value="${settings[name]}" min="0" required
          /></label>`,
      )}
      <div><button class="main">保存限额与开关</button></div>
    </form>
  </section>`
}

/** The settings of a form that was sent; what is wrong in it, the control refuses. */
export function settingsOf(form: Readonly<Record<string, string>>): Partial<Settings> {
  const on = Object.fromEntries(switches.flatMap(([name]) => (name in form ? [[name, form[name] === '1']] : [])))
  return { ...form, ...on } as Partial<Settings>
}
