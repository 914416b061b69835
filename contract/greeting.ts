/** Merge fields of a greeting; they are filled in the opened card only. */
export const mergeFields = ['{姓名}', '{部门}', '{公司}'] as const

/** Only in what an anniversary run gives: the full years with the company. */
export const yearsField = '{年数}'

/** Fills the merge fields of a greeting; a field without a value becomes nothing, and other braces stay as they are. */
export function mergeGreeting(
  greeting: string,
  person: {
    readonly name: string
    readonly department: string | null
    readonly company: string
    readonly years?: number | null
  },
): string {
  const values: Readonly<Record<string, string>> = {
    '{姓名}': person.name,
    '{部门}': person.department ?? '',
    '{公司}': person.company,
    ...(person.years == null ? {} : { [yearsField]: String(person.years) }),
  }
  // In one pass: what a name or a department holds is text, never a field.
  return greeting.replace(/\{[^{}]*\}/g, (field) => values[field] ?? field)
}

/** What stands in braces in a greeting and is no merge field: nobody can fill it. */
export function unknownFields(greeting: string, also: readonly string[] = []): string[] {
  const known: readonly string[] = [...mergeFields, ...also]
  return [...new Set(greeting.match(/\{[^{}]*\}/g) ?? [])].filter((field) => !known.includes(field))
}
