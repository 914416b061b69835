import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { ifAllowed } from './contact-way-api.ts'
import { contact } from './contacts.ts'
import { relationFor } from './customer-api.ts'
import type { ContactState, Tag, TagGroup } from './customer-state.ts'
import { appRoute, readJson, type Answer, type ApiRoute, type AppCall } from './gate.ts'
import { fakeId } from './state.ts'

const MOST_TAGS = 10_000
/** How long marking takes: a second mark of the same pair in that time is refused (45035). */
const MARKING_MS = 15
const name = z
  .string()
  .min(1)
  .refine((text) => Array.from(text).length <= 30)
const ids = z.array(z.string()).optional()
const order = z.number().int().min(0).optional()
const listForm = z.looseObject({ tag_id: ids, group_id: ids })
const addForm = z.looseObject({
  group_id: z.string().optional(),
  group_name: name.optional(),
  order,
  tag: z.array(z.looseObject({ name, order })).min(1),
})
const editForm = z.looseObject({ id: z.string(), name: name.optional(), order })
const markForm = z.looseObject({ userid: z.string(), external_userid: z.string(), add_tag: ids, remove_tag: ids })

/** The company's tags for customers (protocol sheet 6.5). */
export const tagRoutes: readonly ApiRoute[] = [
  appRoute('POST', '/externalcontact/get_corp_tag_list', ifAllowed(listTags)),
  appRoute('POST', '/externalcontact/add_corp_tag', ifAllowed(addTags)),
  appRoute('POST', '/externalcontact/edit_corp_tag', ifAllowed(editTag)),
  appRoute('POST', '/externalcontact/del_corp_tag', ifAllowed(deleteTags)),
  appRoute('POST', '/externalcontact/mark_tag', ifAllowed(markTag)),
]

function groupView(group: TagGroup, tags: readonly Tag[]): Answer {
  return {
    group_id: group.id,
    group_name: group.name,
    create_time: Math.floor(group.createdAtMs / 1_000),
    order: group.order,
    tag: tags.map((tag) => ({
      id: tag.id,
      name: tag.name,
      create_time: Math.floor(tag.createdAtMs / 1_000),
      order: tag.order,
    })),
  }
}

/** Groups win over tags where both are named; without either, everything. */
function listTags({ state, corp, raw }: AppCall): Answer {
  const form = listForm.safeParse(readJson(raw) ?? {})
  if (!form.success) return { errcode: 40058 }
  const { tag_id: tagIds = [], group_id: groupIds = [] } = form.data
  const groups = [...contact(state, corp).tagGroups.values()].flatMap((group) => {
    if (groupIds.length > 0) return groupIds.includes(group.id) ? [groupView(group, [...group.tags.values()])] : []
    const tags = [...group.tags.values()].filter((tag) => tagIds.length === 0 || tagIds.includes(tag.id))
    return tags.length > 0 ? [groupView(group, tags)] : []
  })
  return { errcode: 0, tag_group: groups }
}

/** Adds tags to a group that is named by id or by name; a name that is there already is not added again. */
function addTags({ state, corp, app, raw }: AppCall): Answer {
  const form = addForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const { group_id: id, group_name: title, tag: wanted } = form.data
  const { tagGroups } = contact(state, corp)
  const known = [...tagGroups.values()].find((one) => (id === undefined ? one.name === title : one.id === id))
  if (id !== undefined && !known) return { errcode: 40058 }
  if (!known && title === undefined) return { errcode: 40058 }
  if (known && known.agentId !== app.agentId) return { errcode: 81011 }
  if (countTags(tagGroups) + wanted.length > MOST_TAGS) return { errcode: 40126 }
  const atMs = state.now()
  const group: TagGroup = known ?? {
    id: fakeId('GROUP', 12),
    name: title ?? '',
    order: form.data.order ?? 0,
    createdAtMs: atMs,
    agentId: app.agentId,
    tags: new Map(),
  }
  tagGroups.set(group.id, group)
  const named = wanted.map((one) => {
    const there = [...group.tags.values()].find((tag) => tag.name === one.name)
    const tag = there ?? { id: fakeId('TAG', 12), name: one.name, order: one.order ?? 0, createdAtMs: atMs }
    group.tags.set(tag.id, tag)
    return tag
  })
  return { errcode: 0, tag_group: groupView(group, [...new Set(named)]) }
}

function countTags(groups: ContactState['tagGroups']): number {
  let count = 0
  for (const group of groups.values()) count += group.tags.size
  return count
}

function editTag({ state, corp, app, raw }: AppCall): Answer {
  const form = editForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const { tagGroups } = contact(state, corp)
  const group = [...tagGroups.values()].find((one) => one.id === form.data.id || one.tags.has(form.data.id))
  if (!group) return { errcode: 40058 }
  if (group.agentId !== app.agentId) return { errcode: 81011 }
  const target = group.id === form.data.id ? group : group.tags.get(form.data.id)
  if (target && form.data.name !== undefined) target.name = form.data.name
  if (target && form.data.order !== undefined) target.order = form.data.order
  return { errcode: 0 }
}

/** A group goes with its last tag; whoever bore a tag that went bears it no more. */
function deleteTags({ state, corp, app, raw }: AppCall): Answer {
  const form = listForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const { tag_id: tagIds = [], group_id: groupIds = [] } = form.data
  const { tagGroups, customers } = contact(state, corp)
  const gone = new Set<string>()
  for (const group of tagGroups.values())
    for (const tag of group.tags.values())
      if (tagIds.includes(tag.id) || groupIds.includes(group.id)) {
        if (group.agentId !== app.agentId) return { errcode: 81011 }
        gone.add(tag.id)
      }
  if (gone.size === 0) return { errcode: 40058 }
  for (const group of tagGroups.values()) {
    for (const id of gone) group.tags.delete(id)
    if (group.tags.size === 0) tagGroups.delete(group.id)
  }
  for (const customer of customers.values())
    for (const follow of customer.followers.values()) for (const id of gone) follow.tagIds.delete(id)
  return { errcode: 0 }
}

async function markTag(call: AppCall): Promise<Answer> {
  const form = markForm.safeParse(readJson(call.raw))
  if (!form.success) return { errcode: 40058 }
  const { userid, external_userid: id, add_tag: add = [], remove_tag: remove = [] } = form.data
  if (add.length + remove.length === 0) return { errcode: 40058 }
  const { marking, tagGroups } = contact(call.state, call.corp)
  const follow = relationFor(call, userid, id)
  if (typeof follow === 'number') return { errcode: follow }
  const there = (tag: string) => [...tagGroups.values()].some((group) => group.tags.has(tag))
  if (![...add, ...remove].every(there)) return { errcode: 40058 }
  const pair = `${follow.userid.toLowerCase()} ${id}`
  if (marking.has(pair)) return { errcode: 45035 }
  marking.add(pair)
  try {
    await sleep(MARKING_MS)
    for (const tag of add) follow.tagIds.add(tag)
    for (const tag of remove) follow.tagIds.delete(tag)
    return { errcode: 0 }
  } finally {
    marking.delete(pair)
  }
}
