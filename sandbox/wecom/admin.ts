import type { Context } from 'koa'
import Router from 'koa-router'
import { ZodError } from 'zod'
import { goBack, pageNumber, queryText, show, told, type Place } from '../look/page.ts'
import { appPage, companyPage, departmentsPage, memberPage, membersPage } from './admin-page.ts'
import { readBody } from './body.ts'
import type { CompanyControl } from './company-control.ts'
import { refuse } from './signin.ts'
import { corpOf, type Corp, type WecomState } from './state.ts'

/** What went wrong, said in the language of the page. */
const words: Readonly<Record<string, string>> = {
  'this userid is taken': '这个账号已经有人用了。',
  'no such member': '没有这个成员。',
  'no such parent department': '没有这个上级部门。',
  'a department does not lie below itself': '部门不能放到自己下面。',
  'a department goes when nobody and nothing is in it': '部门里还有成员或下级部门，不能删除。',
}
type Params = Readonly<Record<string, string>>
type Act = (form: URLSearchParams, corp: Corp, params: Params) => string

/** The console of a company in WeCom (管理后台): its apps, departments and members, and what an admin does to them. */
export function adminRoutes(state: WecomState, control: CompanyControl, place: Place): Router {
  const router = new Router()
  router.get('/admin', (ctx) => {
    const [first] = state.corps.values()
    if (first) ctx.redirect(`/admin/${encodeURIComponent(first.corpId)}`)
    else refuse(ctx, place, 404, 40013, '沙箱里还没有企业')
  })
  const page = (
    path: string,
    view: (ctx: Context, corp: Corp, params: Params) => ReturnType<typeof companyPage> | null,
  ) =>
    router.get(`/admin/:corpId${path}`, (ctx) => {
      const corp = corpOf(state, ctx.params['corpId'] ?? '')
      const inner = corp && view(ctx, corp, ctx.params)
      if (!inner) return refuse(ctx, place, 404, 40013, '没有这个企业、应用或成员')
      return show(ctx, place, { title: '企业管理', at: 'admin' }, inner)
    })
  page('', (ctx, corp) => companyPage(state, corp, told(ctx)))
  page('/departments', (ctx, corp) => departmentsPage(corp, told(ctx)))
  page('/members', (ctx, corp) =>
    membersPage(corp, { search: queryText(ctx, 'q'), page: pageNumber(ctx), nowMs: state.now() }, told(ctx)),
  )
  page('/members/:userid', (ctx, corp, { userid = '' }) => {
    const member = corp.members.get(userid.toLowerCase())
    return member ? memberPage(corp, member, told(ctx)) : null
  })
  page('/apps/:agentId', (ctx, corp, { agentId = '' }) => {
    const app = corp.apps.get(Number(agentId))
    return app ? appPage(corp, app, told(ctx)) : null
  })
  const act = actsOf(router, state, place)
  addCompanyActs(act, control)
  addAppActs(act, control)
  addPeopleActs(act, control)
  return router
}

type AddAct = (path: string, backTo: (params: Params) => string, run: Act) => void

/** How a form is taken: done and back to a page, or back to where it came from with what was wrong. */
function actsOf(router: Router, state: WecomState, place: Place): AddAct {
  return (path, backTo, run) =>
    void router.post(`/admin/:corpId${path}`, async (ctx) => {
      const form = new URLSearchParams((await readBody(ctx, 256 * 1024)).toString('utf8'))
      const corp = corpOf(state, ctx.params['corpId'] ?? '')
      if (!corp) return refuse(ctx, place, 404, 40013, '没有这个企业')
      const base = `/admin/${encodeURIComponent(corp.corpId)}`
      try {
        return goBack(ctx, base + backTo(ctx.params), { done: run(form, corp, ctx.params) })
      } catch (error) {
        const referer = ctx.get('referer')
        const from = URL.canParse(referer) ? new URL(referer).pathname : base
        return goBack(ctx, from.startsWith(base) ? from : base, { wrong: wordOf(error) })
      }
    })
}

function addAppActs(act: AddAct, control: CompanyControl): void {
  const here = ({ agentId }: Params) => `/apps/${agentId}`
  act('/apps/:agentId/range', here, (form, { corpId }, { agentId }) => {
    const [departments, tags] = [numbers(form, 'department'), numbers(form, 'tag')]
    const visible = form.get('all') === '1' ? 'all' : { departments, tags, userIds: lines(form, 'userIds') }
    control.putApp({ corpId, agentId: Number(agentId), visible })
    return '可见范围已保存，受影响的应用已收到事件。'
  })
  act('/apps/:agentId/trust', here, (form, { corpId }, { agentId }) => {
    const trusted = { trustedDomains: lines(form, 'trustedDomains'), trustedIps: lines(form, 'trustedIps') }
    control.putApp({ corpId, agentId: Number(agentId), ...trusted })
    return '可信域名和可信 IP 已保存。'
  })
  act('/apps/:agentId/switch', here, (form, { corpId }, { agentId }) => {
    const on = form.get('on') === '1'
    control.putApp({ corpId, agentId: Number(agentId), on })
    return on ? '应用已启用。' : '应用已停用，它的调用会得到 50003。'
  })
}

function addCompanyActs(act: AddAct, control: CompanyControl): void {
  const home = () => ''
  act('/contact-sync', home, (_form, { corpId }) => {
    control.openContactSync({ corpId })
    return '通讯录同步有了新的 Secret，旧的已失效。'
  })
}

function addPeopleActs(act: AddAct, control: CompanyControl): void {
  const toMembers = () => '/members'
  const toDepartments = () => '/departments'
  act('/members', toMembers, (form, { corpId }) => {
    const { userid, ...rest } = personOf(form)
    control.enter(userid, { corpId, ...rest })
    return `${rest.name}已加入企业。`
  })
  act('/members/:userid', toMembers, (form, { corpId }, { userid: before = '' }) => {
    const changed = personOf(form)
    control.changeMember(before, { corpId, ...changed })
    return `${changed.name}已保存。`
  })
  act('/members/:userid/leave', toMembers, (_form, { corpId }, { userid = '' }) => {
    control.leave(userid, { corpId })
    return `${userid}已离开企业。`
  })
  act('/departments', toDepartments, (form, { corpId }) => {
    const [name, parentId, id] = [form.get('name') ?? '', Number(form.get('parentId') ?? 1), form.get('id')]
    control.putDepartment({ corpId, name, parentId, ...(id ? { id: Number(id) } : {}) })
    return `部门“${name}”已保存。`
  })
  act('/departments/remove', toDepartments, (form, { corpId }) => {
    control.removeDepartment({ corpId, id: Number(form.get('id')) })
    return '部门已删除。'
  })
}

function wordOf(error: unknown): string {
  if (error instanceof ZodError) return `填写有误：${error.issues.map((issue) => issue.path.join('.')).join('、')}`
  if (error instanceof RangeError) return words[error.message] ?? error.message
  throw error
}

function personOf(form: URLSearchParams) {
  const chosen = numbers(form, 'department')
  const status = Number(form.get('status') ?? 1) as 1 | 2 | 4 | 5
  return {
    userid: form.get('userid') ?? '',
    name: form.get('name') ?? '',
    mobile: form.get('mobile') || null,
    email: form.get('email') || null,
    departments: chosen.length > 0 ? chosen : [1],
    status,
  }
}

function numbers(form: URLSearchParams, name: string): number[] {
  return form.getAll(name).map(Number)
}

/** The entries of a text field, one a line. */
function lines(form: URLSearchParams, name: string): string[] {
  return (form.get(name) ?? '').split(/[\s,，、]+/).filter((one) => one !== '')
}
