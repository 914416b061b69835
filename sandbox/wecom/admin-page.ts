import { html, type Markup } from '../look/html.ts'
import { chinaMoment, heading } from '../look/page.ts'
import { foldingTable } from '../look/table.ts'
import { licensed, sees, subtree } from './members.ts'
import { peopleList } from './people-page.ts'
import type { App, AppKind, Corp, Department, Member, WecomState } from './state.ts'

const kindWords: Readonly<Record<AppKind, string>> = {
  self_built: '自建应用',
  customised: '代开发应用',
  third_party: '第三方应用',
}
const statusWords = [
  [1, '已激活'],
  [4, '未激活'],
  [2, '已禁用'],
  [5, '已退出'],
] as const

const baseOf = (corp: Corp) => `/admin/${encodeURIComponent(corp.corpId)}`
const appHref = (corp: Corp, app: App) => `${baseOf(corp)}/apps/${app.agentId}`

/** The company at a glance: its apps, and the ways to its departments and members. */
export function companyPage(state: WecomState, corp: Corp, said: Markup | null): Markup {
  const corps = [...state.corps.values()]
  const others = corps
    .filter((one) => one !== corp)
    .slice(0, 20)
    .map((one) => html`<a class="button" href="${baseOf(one)}">${one.name}</a>`)
  const rows = [...corp.apps.values()].map(
    (app) =>
      html`<tr>
        <td data-name="应用"><a href="${appHref(corp, app)}">${app.name}</a></td>
        <td data-name="类型">${kindWords[app.kind]}</td>
        <td data-name="agentid">${app.agentId}</td>
        <td data-name="可见范围">${rangeWords(corp, app)}</td>
        <td data-name="状态">
          <span class="tag ${app.on ? 'good' : 'off'}">${app.on ? '已启用' : '已停用'}</span>
        </td>
      </tr>`,
  )
  return html`${heading(
      '企业管理',
      `相当于企业微信管理后台。当前企业：${corp.name}（${corp.corpId}）`,
      'The admin console of a company in WeCom: apps, departments and members.',
    )}${said}
    <div class="grid three">
      ${tile(`${baseOf(corp)}/members`, '成员', `${corp.members.size.toLocaleString('en-US')} 人`, 'Members')}${tile(`${baseOf(corp)}/departments`, '部门', `${corp.departments.size} 个`, 'Departments')}${tile('/suites', '服务商应用', '从市场安装，取消授权，重置授权码', 'Install and cancel suites')}
    </div>
    <section class="panel">
      <h2>应用</h2>
      <p class="soft">点开一个应用，可以改可见范围、可信域名和 IP，或停用它。</p>
      ${foldingTable(['应用', '类型', 'agentid', '可见范围', '状态'], rows)}
    </section>
    ${contactSyncPanel(corp)}${
      others.length > 0
        ? html`<section class="panel">
            <h2>其他企业</h2>
            <div class="acts">${others}</div>
          </section>`
        : null
    }`
}

function contactSyncPanel(corp: Corp): Markup {
  const secret = corp.contactSecret
  const shown =
    secret === null
      ? null
      : html`<dl class="facts" style="margin-top:8px">
          <dt>Secret</dt>
          <dd><code>${secret}</code></dd>
        </dl>`
  return html`<section class="panel">
    <h2>
      通讯录同步 <span class="tag ${secret === null ? 'off' : 'good'}">${secret === null ? '未开启' : '已开启'}</span>
    </h2>
    <p class="soft">它的 Secret 只能列出全部部门和成员的编号，不能发消息，也看不到姓名。</p>
    ${shown}
    <form method="post" action="${baseOf(corp)}/contact-sync" style="margin-top:12px">
      <button>${secret === null ? '开启通讯录同步' : '换一个 Secret'}</button>
    </form>
  </section>`
}

function tile(href: string, title: string, text: string, english: string): Markup {
  return html`<a class="panel tile" href="${href}"
    ><h2>${title}</h2>
    <p>${text}</p>
    <p class="en" lang="en">${english}</p></a
  >`
}

/** The visible range of an app in words. */
function rangeWords(corp: Corp, app: App): string {
  if (app.visible === 'all') return app.hidden.size > 0 ? `全部成员，${app.hidden.size} 人除外` : '全部成员'
  const names = [...app.visible.departments].map((id) => corp.departments.get(id)?.name ?? String(id))
  const tags = [...app.visible.tags].map((id) => `标签 ${corp.tags.get(id)?.name ?? id}`)
  const people = app.visible.userIds.size > 0 ? [`${app.visible.userIds.size} 人`] : []
  return [...names, ...tags, ...people].join('、') || '无人可见'
}

/** One app: who sees it, whom it trusts, whether it is on. */
export function appPage(corp: Corp, app: App, said: Markup | null): Markup {
  const here = appHref(corp, app)
  const callback = app.callback
    ? html`<span class="tag good">已验证 ${chinaMoment(app.callback.verifiedAtMs)}</span> ${app.callback.url}`
    : html`<span class="tag off">未设置</span>`
  const ofSuite = app.suiteId === null ? null : fact('模板或应用', app.suiteId)
  const facts = html`<section class="panel">
    <h2>${app.name} <span class="tag">${kindWords[app.kind]}</span></h2>
    <dl class="facts">
      ${fact('corpid', corp.corpId)}${fact('agentid', String(app.agentId))}${app.kind === 'self_built' ? fact('Secret', app.secret) : null}${ofSuite}${fact('创建时间', chinaMoment(app.createdAtMs))}
      <dt>接收消息</dt>
      <dd>
        ${callback}
        ${app.kind === 'third_party' ? null : html`<a href="/callback?corp=${corp.corpId}&agent=${app.agentId}">设置</a>`}
      </dd>
    </dl>
    <form method="post" action="${here}/switch" style="margin-top:12px">
      <button name="on" value="${app.on ? '0' : '1'}">${app.on ? '停用应用' : '启用应用'}</button>
    </form>
  </section>`
  const area = (name: string, label: string, values: readonly string[]) =>
    html`<label>${label}<textarea name="${name}" rows="3">${values.join('\n')}</textarea></label>`
  const trust = html`<section class="panel">
    <h2>可信域名与 IP</h2>
    <p class="soft">一行一个。域名要带端口；不在名单里的域名不能登录。IP 名单在旋钮里打开“检查可信 IP”后才起作用。</p>
    <form method="post" action="${here}/trust" class="fields">
      ${area('trustedDomains', '可信域名', app.trustedDomains)}${area('trustedIps', '可信 IP', app.trustedIps)}
      <div><button class="main">保存可信名单</button></div>
    </form>
  </section>`
  return html`${crumb(corp, '应用')}${said}${facts}${rangePanel(corp, app)}${trust}`
}

function rangePanel(corp: Corp, app: App): Markup {
  const { visible } = app
  const all = visible === 'all'
  const chosen = all ? new Set<number>() : visible.departments
  const pick = (name: string, value: number, label: string, on: boolean) =>
    html`<label class="pick"
      ><input type="checkbox" name="${name}" value="${value}" ${on ? html`checked` : null} /> ${label}</label
    >`
  const tags = [...corp.tags.values()].map((tag) => pick('tag', tag.id, tag.name, !all && visible.tags.has(tag.id)))
  const people = all ? [] : [...visible.userIds].map((key) => corp.members.get(key)?.userid ?? key)
  return html`<section class="panel">
    <h2>可见范围</h2>
    <p class="soft">现在：${rangeWords(corp, app)}。进入或离开范围的成员，应用会收到 subscribe 或 unsubscribe 事件。</p>
    <form method="post" action="${appHref(corp, app)}/range" class="fields">
      <label class="pick"
        ><input type="checkbox" name="all" value="1" ${all ? html`checked` : null} />
        全部成员（勾选后忽略下面的选择）</label
      >
      <fieldset>
        <legend>部门</legend>
        <div class="picks">${departmentPicks(corp, chosen)}</div>
      </fieldset>
      ${
        tags.length > 0
          ? html`<fieldset>
              <legend>标签</legend>
              <div class="picks">${tags}</div>
            </fieldset>`
          : null
      }
      <label>成员账号，一行一个<textarea name="userIds" rows="3">${people.join('\n')}</textarea></label>
      <div><button class="main">保存可见范围</button></div>
    </form>
  </section>`
}

function departmentPicks(corp: Corp, chosen: ReadonlySet<number>): Markup[] {
  return subtree(corp, 1).map(
    (one) =>
      html`<label class="pick"
        ><input type="checkbox" name="department" value="${one.id}" ${chosen.has(one.id) ? html`checked` : null} />
        ${pathOf(corp, one)}</label
      >`,
  )
}

/** A department with those above it, without the root. */
function pathOf(corp: Corp, department: Department): string {
  const parent = corp.departments.get(department.parentId)
  return parent && parent.parentId !== 0 ? `${pathOf(corp, parent)} / ${department.name}` : department.name
}

function fact(name: string, value: string): Markup {
  return html`<dt>${name}</dt>
    <dd>${value}</dd>`
}

function crumb(corp: Corp, at: string): Markup {
  const head = heading(at, `${corp.name}（${corp.corpId}）`, 'WeCom admin console')
  return html`<p><a href="${baseOf(corp)}">‹ 企业管理</a></p>
    ${head}`
}

/** The members, to be found and added. */
export function membersPage(
  corp: Corp,
  look: { readonly search: string; readonly page: number; readonly nowMs: number },
  said: Markup | null,
): Markup {
  const base = `${baseOf(corp)}/members`
  const list = peopleList(corp, {
    ...look,
    action: base,
    unreadOnly: false,
    hidden: {},
    hrefOf: (userid) => `${base}/${encodeURIComponent(userid)}`,
    unread: false,
  })
  return html`${crumb(corp, '成员')}${said}
    <details class="panel">
      <summary>添加成员</summary>
      <form method="post" action="${base}" class="fields two" style="margin-top:12px">
        ${memberFields(corp, null)}
        <div><button class="main">添加成员</button></div>
      </form>
    </details>
    <section class="panel list">${list}</section>`
}

/** One member: moved, renamed, activated, or taken out. */
export function memberPage(corp: Corp, member: Member, said: Markup | null): Markup {
  const here = `${baseOf(corp)}/members/${encodeURIComponent(member.userid)}`
  const rows = [...corp.apps.values()].map(
    (app) =>
      html`<dt>${app.name}</dt>
        <dd>
          ${sees(corp, app, member) ? '可见' : '不可见'}${app.unlicensed.has(member.userid.toLowerCase()) || !licensed(app, member, 0) ? '，没有接口许可' : ''}
        </dd>`,
  )
  return html`${crumb(corp, member.name)}${said}
    <div class="grid two">
      <section class="panel">
        <h2>资料</h2>
        <p class="soft">改账号相当于企业微信里的一次性改名：应用会收到带 NewUserID 的 update_user。</p>
        <form method="post" action="${here}" class="fields">
          ${memberFields(corp, member)}
          <div><button class="main">保存成员</button></div>
        </form>
      </section>
      <div class="stack">
        <section class="panel">
          <h2>应用</h2>
          <dl class="facts">${rows}</dl>
        </section>
        <section class="panel">
          <h2>离开企业</h2>
          <p class="soft">应用会收到 delete_user。聊天记录保留。</p>
          <form method="post" action="${here}/leave"><button>删除成员</button></form>
        </section>
      </div>
    </div>`
}

function memberFields(corp: Corp, member: Member | null): Markup {
  const field = (name: string, label: string, value: string, required: boolean) =>
    html`<label
      >${label}<input name="${name}" value="${value}" autocomplete="off" ${required ? html`required` : null}
    /></label>`
  const options = statusWords.map(
    ([value, label]) =>
      html`<option value="${value}" ${(member?.status ?? 1) === value ? html`selected` : null}>${label}</option>`,
  )
  return html`${field('name', '姓名', member?.name ?? '', true)}${field('userid', '账号（userid）', member?.userid ?? '', true)}${field('mobile', '手机号', member?.mobile ?? '', false)}${field('email', '企业邮箱', member?.email ?? '', false)}<label
      >状态<select name="status">
        ${options}
      </select></label
    >
    <fieldset>
      <legend>部门</legend>
      <div class="picks">${departmentPicks(corp, new Set(member?.departments ?? [1]))}</div>
    </fieldset>`
}

/** The departments, with a form to add one, and one to rename or remove each. */
export function departmentsPage(corp: Corp, said: Markup | null): Markup {
  const base = `${baseOf(corp)}/departments`
  const all = subtree(corp, 1)
  const rows = all.map((one) => {
    const remove =
      one.id === 1
        ? null
        : html`<form method="post" action="${base}/remove">
            <button name="id" value="${one.id}" aria-label="删除${one.name}">删除</button>
          </form>`
    return html`<div class="dial">
      <div>
        <h3>${pathOf(corp, one)}</h3>
        <p>编号 ${one.id}，${(corp.byDepartment.get(one.id)?.size ?? 0).toLocaleString('en-US')} 人</p>
      </div>
      <div class="acts end">
        <form method="post" action="${base}" class="acts">
          <input type="hidden" name="id" value="${one.id}" /><input
            type="hidden"
            name="parentId"
            value="${one.parentId}"
          /><input
            name="name"
            value="${one.name}"
            aria-label="${one.name}的新名称"
            style="width:140px"
            required
          /><button>改名</button>
        </form>
        ${remove}
      </div>
    </div>`
  })
  const parents = all.map((one) => html`<option value="${one.id}">${pathOf(corp, one)}</option>`)
  return html`${crumb(corp, '部门')}${said}
    <section class="panel">
      <h2>添加部门</h2>
      <form method="post" action="${base}" class="fields two">
        <label>名称<input name="name" required /></label>
        <label
          >上级部门<select name="parentId">
            ${parents}
          </select></label
        >
        <div><button class="main">添加部门</button></div>
      </form>
    </section>
    <section class="panel">
      <h2>全部部门</h2>
      ${rows}
    </section>`
}
