import type { Edge } from '../../kernel/context.ts'
import { proveBooks } from './prove-books.ts'
import { BooksProof } from './tables.ts'

/**
 * The body of job `books.prove`: what does not add up is an error in the log, by rule and object, for somebody to act on; that it was
 * looked at, and with what result, is kept for people who want to know whom they give their money to.
 */
export async function proveDaily(edge: Edge): Promise<void> {
  const findings = await edge.read(proveBooks)
  for (const finding of findings) edge.log.error({ ...finding }, 'the books do not add up')
  edge.log.info({ findings: findings.length }, 'books proved')
  const proof = { findings: findings.length, atMs: edge.clock.now() }
  await edge.tx((tx) => tx.em.insert(BooksProof, { id: tx.newId('booksProof'), ...proof }))
}
