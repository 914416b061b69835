import { z } from 'zod'
import { directoryRoute, queryOf, readJson, type Answer, type ApiRoute, type DirectoryCall } from './gate.ts'
import { dropMember, putMember } from './members.ts'
import type { Member } from './state.ts'

const userForm = z.looseObject({
  userid: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/),
  name: z.string().min(1).max(64).optional(),
  mobile: z.string().min(5).max(32).optional(),
  email: z.string().min(6).max(64).optional(),
  department: z.array(z.number().int().positive()).min(1).max(100).optional(),
})

/**
 * Writing members (protocol sheet 4.4): with the contact-sync secret alone. What is written here is told to nobody by
 * callback, as WeCom does not tell the sync helper of its own changes (4.6).
 */
export const writeRoutes: readonly ApiRoute[] = [
  writeRoute('POST', '/user/create', (call) => write(call, true)),
  writeRoute('POST', '/user/update', (call) => write(call, false)),
  writeRoute('GET', '/user/delete', ({ ctx, corp }) => {
    const userid = queryOf(ctx, 'userid')
    if (!corp.members.has(userid.toLowerCase())) return { errcode: 60111 }
    dropMember(corp, userid)
    return { errcode: 0 }
  }),
]

function writeRoute(method: ApiRoute['method'], path: string, run: (call: DirectoryCall) => Answer): ApiRoute {
  return directoryRoute(method, path, (call) => (call.app ? { errcode: 48002 } : run(call)))
}

function write({ corp, raw }: DirectoryCall, anew: boolean): Answer {
  const parsed = userForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: parsed.error.issues[0]?.path[0] === 'userid' ? 40003 : 40058 }
  const { userid, department, ...form } = parsed.data
  const before = corp.members.get(userid.toLowerCase())
  if (anew && before) return { errcode: 60102 }
  if (!anew && !before) return { errcode: 60111 }
  if (anew && (form.name === undefined || (!form.mobile && !form.email))) return { errcode: 60129 }
  if (department?.some((id) => !corp.departments.has(id))) return { errcode: 60003 }
  const member: Member = {
    userid: before?.userid ?? userid,
    name: form.name ?? before?.name ?? userid,
    mobile: form.mobile ?? before?.mobile ?? null,
    email: form.email ?? before?.email ?? null,
    departments: department ?? before?.departments ?? [1],
    status: before?.status ?? 4,
    licence: before?.licence ?? null,
  }
  const taken = member.mobile === null ? undefined : corp.byMobile.get(member.mobile)
  if (taken !== undefined && taken !== userid.toLowerCase()) return { errcode: 60104 }
  putMember(corp, member)
  return { errcode: 0 }
}
