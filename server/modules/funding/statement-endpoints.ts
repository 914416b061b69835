import type { z } from 'zod'
import {
  AssignLineInput,
  ImportedStatement,
  ImportStatementInput,
  StatementLines,
  StatementLinesInput,
  StatementLineView,
  UndoLineInput,
} from '../../../contract/operator/platform.ts'
import { endpoint, fileNameHeader, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { assignLine } from './assign-line.ts'
import { importStatement, type ReadStatement } from './import-statement.ts'
import { undoLine } from './undo-line.ts'
import { readStatementLine, readStatementLines, type StatementLineFacts } from './read-statement.ts'

/** A year of a busy account. */
const STATEMENT_BYTES = 20 * 1024 * 1024

/** Reads a statement file; it lives outside the modules and is given to them. */
export type StatementReader = (bytes: Uint8Array, fileName: string) => Promise<ReadStatement>

/** What the platform's finance does with bank statements. */
export const statementEndpoints = (readStatement: StatementReader): readonly Endpoint[] => [
  endpoint({
    method: 'POST',
    path: '/operator/bank-statements',
    may: 'statement.import',
    body: 'raw',
    limitBytes: STATEMENT_BYTES,
    scope: 'edge',
    headerInputs: fileNameHeader,
    input: ImportStatementInput,
    output: ImportedStatement,
    run: async (edge, { fileName }, http) => {
      const bytes = http.raw ?? Buffer.alloc(0)
      const read = await readStatement(bytes, fileName)
      return { ...(await importStatement(edge, { fileName, bytes, read }, http.lang)) }
    },
  }),
  endpoint({
    method: 'GET',
    path: '/operator/statement-lines',
    may: 'statement.import',
    scope: 'read',
    input: StatementLinesInput,
    output: StatementLines,
    run: async (tx, input) => {
      const { lines, nextCursor } = await readStatementLines(tx, input)
      return { lines: lines.map(present), nextCursor }
    },
  }),
  endpoint({
    method: 'POST',
    path: '/operator/statement-lines/:id/assign',
    may: 'statement.assign',
    body: 'json',
    idempotent: true,
    scope: 'tx',
    input: AssignLineInput,
    output: StatementLineView,
    run: async (tx, { id, ...decision }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      await assignLine(tx, { lineId: id, ...decision }, key)
      return present(await readStatementLine(tx, id))
    },
  }),
  endpoint({
    method: 'POST',
    path: '/operator/statement-lines/:id/undo',
    may: 'statement.assign',
    body: 'json',
    idempotent: true,
    scope: 'tx',
    input: UndoLineInput,
    output: StatementLineView,
    run: async (tx, { id }, http) => {
      await undoLine(tx, id, http.idempotencyKey ?? refuse('idempotency_key_missing'))
      return present(await readStatementLine(tx, id))
    },
  }),
]

const present = ({ payer, candidates, ...line }: StatementLineFacts): z.input<typeof StatementLineView> => ({
  ...line,
  payerName: payer.holder,
  payerAccount: payer.account.replaceAll(/.(?=.{4})/g, '*'),
  memo: payer.memo,
  candidates: candidates.map((one) => ({ ...one, why: [...one.why] })),
})
