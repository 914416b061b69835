/** What a staff list may be at most. Checked before a file is opened, then while it is read. */
export const rosterLimits = {
  fileBytes: 50 * 1024 * 1024,
  expandedBytes: 512 * 1024 * 1024,
  sharedStringsBytes: 96 * 1024 * 1024,
  sharedStrings: 2_000_000,
  expansionRatio: 300,
  ratioCheckedFromBytes: 1024 * 1024,
  zipEntries: 2_000,
  sheets: 100,
  dataRows: 200_000,
  sheetRows: 1_048_576,
  columns: 512,
  cellChars: 32_767,
  headerSearchRows: 60,
  amountFen: 500_000,
  useridChars: 64,
} as const
