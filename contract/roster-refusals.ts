/** Why a file is refused as a whole. Closed: pages and reports translate by code. */
export const rosterRefusalCodes = [
  'not_a_spreadsheet',
  'wrong_extension',
  'truncated',
  'password_protected',
  'legacy_xls',
  'zip_bomb',
  'external_entities',
  'too_many_rows',
  'too_large',
  'header_missing',
  'header_twice',
  'no_rows',
  'no_valid_row',
] as const
export type RosterRefusalCode = (typeof rosterRefusalCodes)[number]

const words: Record<RosterRefusalCode, { zh: string; en: string }> = {
  not_a_spreadsheet: {
    zh: '这不是表格文件，请上传 xlsx、csv 或 tsv',
    en: 'This is not a spreadsheet: upload xlsx, csv or tsv',
  },
  wrong_extension: {
    zh: '文件内容与扩展名不符，请用 Excel 或 WPS 打开后另存为 xlsx 再上传',
    en: 'The content differs from the file extension: open it in Excel or WPS and save it as xlsx',
  },
  truncated: {
    zh: '文件不完整或已损坏，请重新保存后再上传',
    en: 'The file is incomplete or damaged: save it again and upload it once more',
  },
  password_protected: {
    zh: '文件有打开密码，请取消密码后再上传',
    en: 'The file is protected by a password: remove it and upload again',
  },
  legacy_xls: {
    zh: '这是旧版 xls（或 et）格式，请另存为 xlsx 再上传',
    en: 'This is the old xls (or et) format: save it as xlsx and upload again',
  },
  zip_bomb: {
    zh: '文件展开后过大，已拒绝打开，请另存为只含名单的 xlsx 或 csv 再上传',
    en: 'The file expands beyond the limit and was not opened: save the list alone as xlsx or csv and upload that',
  },
  external_entities: {
    zh: '文件含有 DTD 或外部实体声明，已拒绝打开，请用 Excel 或 WPS 另存为 xlsx 再上传',
    en: 'The file declares a DTD or external entities and was not opened: save it anew as xlsx and upload that',
  },
  too_many_rows: {
    zh: '超过 20 万行，请拆成几个文件上传',
    en: 'More than 200,000 rows: split the list into several files',
  },
  too_large: {
    zh: '文件、列数或单元格超过上限，请删去无关的列和过长的文字后再上传',
    en: 'The file, its columns or a cell exceed the limit: remove columns and texts that are not needed',
  },
  header_missing: {
    zh: '没有找到表头，请在人员上方加一行列名：需要“姓名”，以及“手机号”或“企业微信账号”',
    en: 'No header row found: add one above the people, with a name column and a mobile or WeCom account column',
  },
  header_twice: { zh: '两列对应同一个字段，请删去或改名其中一列', en: 'Two columns mean the same field: rename one' },
  no_rows: {
    zh: '表头下面没有人员行，请填入名单后再上传',
    en: 'There is no person below the header: fill in the list and upload it again',
  },
  no_valid_row: {
    zh: '没有一行是有效的，请核对各列的内容（可用名单模板）后再上传',
    en: 'Not a single row is valid: compare the columns with the template and upload the list again',
  },
}

/** Says a refusal in one sentence. */
export function describeRosterRefusal(code: RosterRefusalCode, language: 'zh' | 'en' = 'zh'): string {
  return words[code][language]
}
