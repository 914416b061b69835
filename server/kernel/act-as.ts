import type { Actor, Edge } from './context.ts'

/** The same scope for another actor, whose identity was proved: what is written names them. */
export function actAs(edge: Edge, actor: Actor): Edge {
  return {
    ...edge,
    actor,
    tx: (work) => edge.tx((tx) => work({ ...tx, actor })),
    read: (work) => edge.read((tx) => work({ ...tx, actor })),
  }
}
