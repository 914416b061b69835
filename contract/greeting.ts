/** Merge fields of a greeting; they are filled in the opened card only. */
export const mergeFields = ['{姓名}', '{部门}', '{公司}'] as const

/** Fills the merge fields of a greeting; a field without a value becomes nothing, and other braces stay as they are. */
export function mergeGreeting(
  greeting: string,
  person: { readonly name: string; readonly department: string | null; readonly company: string },
): string {
  const values: Readonly<Record<(typeof mergeFields)[number], string>> = {
    '{姓名}': person.name,
    '{部门}': person.department ?? '',
    '{公司}': person.company,
  }
  // In one pass: what a name or a department holds is text, never a field.
  return greeting.replace(/\{[^{}]*\}/g, (field) => (isMergeField(field) ? values[field] : field))
}

/** What stands in braces in a greeting and is no merge field: nobody can fill it. */
export function unknownFields(greeting: string): string[] {
  return [...new Set(greeting.match(/\{[^{}]*\}/g) ?? [])].filter((field) => !isMergeField(field))
}

const isMergeField = (text: string): text is (typeof mergeFields)[number] => mergeFields.some((field) => field === text)
