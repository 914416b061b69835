import { z } from 'zod'

/** Why something of a staff list's file was not taken as people, and where it stands. */
export const RosterSkipped = z.discriminatedUnion('code', [
  z.object({
    code: z.enum(['sheet_hidden', 'sheet_not_chosen', 'sheet_no_header', 'sheet_second']),
    sheet: z.string(),
  }),
  z.object({ code: z.enum(['row_above_header', 'row_total', 'row_header_again']), row: z.int() }),
])
export type RosterSkipped = z.infer<typeof RosterSkipped>

/** What a person should know of a staff list that was taken all the same. */
export const RosterWarning = z.discriminatedUnion('code', [
  z.object({ code: z.literal('second_list'), sheet: z.string() }),
  z.object({ code: z.enum(['empty_formulas', 'hidden_rows', 'disabled_accounts']), count: z.int() }),
])
export type RosterWarning = z.infer<typeof RosterWarning>

type Language = 'zh' | 'en'

const skippedWords: Readonly<Record<RosterSkipped['code'], Readonly<Record<Language, string>>>> = {
  sheet_hidden: { zh: '隐藏的工作表，未导入', en: 'a hidden sheet, not imported' },
  sheet_not_chosen: { zh: '未选择，未导入', en: 'not chosen, not imported' },
  sheet_no_header: { zh: '没有表头，未导入', en: 'no header row, not imported' },
  sheet_second: {
    zh: '也像名单，但每次只导入一张工作表，未导入',
    en: 'also looks like a list, but one sheet is imported at a time: not imported',
  },
  row_above_header: { zh: '表头以上，未导入', en: 'above the header, not imported' },
  row_total: { zh: '合计行，未导入', en: 'a row of totals, not imported' },
  row_header_again: { zh: '重复的表头，未导入', en: 'the header once more, not imported' },
}

/** Says where something was skipped and why. */
export function describeRosterSkipped(
  one: RosterSkipped,
  language: Language = 'zh',
): { place: string; reason: string } {
  return { place: placeOf(one, language), reason: skippedWords[one.code][language] }
}

function placeOf(one: RosterSkipped, language: Language): string {
  if ('sheet' in one) return language === 'zh' ? `工作表“${one.sheet}”` : `Sheet “${one.sheet}”`
  return language === 'zh' ? `第 ${one.row} 行` : `Row ${one.row}`
}

/** Says a warning in one sentence. */
export function describeRosterWarning(one: RosterWarning, language: Language = 'zh'): string {
  const zh = language === 'zh'
  if (one.code === 'second_list')
    return zh
      ? `工作表“${one.sheet}”也像名单，没有导入；如需要请另存为单独文件上传`
      : `Sheet “${one.sheet}” also looks like a list and was not imported. Save it as a file of its own if you need it.`
  const { count } = one
  switch (one.code) {
    case 'empty_formulas':
      return zh
        ? `${count} 个公式单元格没有保存结果，按空白处理`
        : `Formula cells without a stored result, read as blank: ${count}`
    case 'hidden_rows':
      return zh
        ? `${count} 行在表格里被隐藏或筛选掉，仍已导入`
        : `Rows hidden or filtered out in the sheet, imported: ${count}`
    case 'disabled_accounts':
      return zh
        ? `${count} 人的企业微信账号是禁用状态，可能收不到消息`
        : `People whose WeCom account is disabled and who may not get the message: ${count}`
  }
}
