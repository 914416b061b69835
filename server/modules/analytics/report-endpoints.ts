import { Report, ReportExportInput, ReportInput, ReportRows, ReportRowsInput } from '../../../contract/hr/report.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { exportReport } from './export-report.ts'
import { readReport } from './read-report.ts'
import { readReportRows } from './read-report-rows.ts'
import { readReportScope } from './report-scope.ts'

/** What became of a company's cards: sums, the rows behind them, and both as a file. */
export const reportEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/hr/report', may: 'report.read', scope: 'read' } as const),
    input: ReportInput,
    output: Report,
    run: async (tx, wish) => readReport(tx, await readReportScope(tx, wish)),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/report/rows', may: 'report.read', scope: 'read' } as const),
    input: ReportRowsInput,
    output: ReportRows,
    run: async (tx, { figure, cursor, limit, ...wish }) =>
      readReportRows(tx, await readReportScope(tx, wish), { figure, cursor, limit }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/report.xlsx', may: 'report.read', scope: 'edge' } as const),
    input: ReportExportInput,
    output: 'stream',
    run: async (edge, { figure, ...wish }, http) => {
      const book = await exportReport(edge, wish, figure ?? null, http.lang)
      http.setHeader('Content-Type', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
      http.setHeader('Content-Disposition', 'attachment; filename="report.xlsx"')
      return book
    },
  }),
]
