import { defineEntity, p } from '@mikro-orm/core'
import { idColumn, instantColumn } from '../../kernel/columns.ts'

/** That all books were recounted, and in how many places they did not add up. Append-only, one a night. */
export const BooksProof = defineEntity({
  name: 'BooksProof',
  tableName: 'books_proof',
  properties: { id: idColumn<'booksProof'>().primary(), findings: p.integer(), atMs: instantColumn() },
})
