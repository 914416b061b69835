import { z } from 'zod'
import type { WecomApp, WecomPort } from '../ports.ts'
import { fieldsOf, listOf, type Api } from './call.ts'

const group = z.object({
  group_id: z.string(),
  group_name: z.string(),
  deleted: z.boolean().nullish(),
  tag: listOf(z.object({ id: z.string(), name: z.string(), deleted: z.boolean().nullish() })),
})
const Groups = z.object({ tag_group: listOf(group) })
const Added = z.object({ tag_group: group })

/** Tags of customers (protocols wecom 6.5). Both calls leave the same when they are repeated, so silence is merely busy. */
export function tagCalls(api: Api): Pick<WecomPort, 'ensureTags' | 'markTag'> {
  return {
    async ensureTags(app, groupName, names) {
      const found = await findGroup(api, app, groupName)
      const ids = new Map(found?.tags ?? [])
      const missing = [...new Set(names)].filter((name) => !ids.has(name))
      if (missing.length > 0) {
        const where = found === null ? { group_name: groupName } : { group_id: found.id }
        const body = JSON.stringify({ ...where, tag: missing.map((name) => ({ name })) })
        const call = { api: 'externalcontact/add_corp_tag', body, effect: false }
        for (const { id, name } of fieldsOf(Added, call, await api.app(app, call)).tag_group.tag) ids.set(name, id)
      }
      return new Map([...ids].filter(([name]) => names.includes(name)))
    },
    async markTag(app, { userid, externalUserId }, { add, remove }) {
      if (add.length + remove.length === 0) return
      const body = JSON.stringify({
        userid,
        external_userid: externalUserId,
        ...(add.length === 0 ? {} : { add_tag: add }),
        ...(remove.length === 0 ? {} : { remove_tag: remove }),
      })
      await api.app(app, { api: 'externalcontact/mark_tag', body, effect: false })
    },
  }
}

async function findGroup(api: Api, app: WecomApp, name: string) {
  const call = { api: 'externalcontact/get_corp_tag_list', body: '{}', effect: false }
  const { tag_group: groups } = fieldsOf(Groups, call, await api.app(app, call))
  const found = groups.find((one) => one.group_name === name && one.deleted !== true)
  if (found === undefined) return null
  const tags = found.tag.filter((one) => one.deleted !== true)
  return { id: found.group_id, tags: tags.map((one) => [one.name, one.id] as const) }
}
