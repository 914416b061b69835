export interface MergeValues {
  readonly name: string
  readonly department: string
  readonly company: string
}

/** The giver's words with {姓名}, {部门} and {公司} filled in, each once: a name that looks like a field stays a name. */
export function fillGreeting(greeting: string, values: MergeValues): string {
  const fields: Readonly<Record<string, string>> = {
    '{姓名}': values.name,
    '{部门}': values.department,
    '{公司}': values.company,
  }
  return greeting.replace(/\{(?:姓名|部门|公司)\}/g, (field) => fields[field] ?? field)
}
