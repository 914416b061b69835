import { randomBytes } from 'node:crypto'
import type { Ports } from '../server/channels/ports.ts'
import { openStore, type Store } from '../server/db/orm.ts'
import type { Edge, Scope } from '../server/kernel/context.ts'
import { idSource } from '../server/kernel/new-ids.ts'
import { systemClock } from '../server/kernel/outbox.ts'
import { testHouse } from '../server/testing/house.ts'

/** A store with an edge over it, as a worker process has one. `worker` is this process's number in ids. */
export async function openBench(url: string, worker: number): Promise<{ store: Store; edge: Edge }> {
  const store = await openStore(url)
  const scope: Scope = {
    actor: { kind: 'system', name: 'bench' },
    clock: systemClock,
    random: randomBytes,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    house: testHouse(),
    newId: idSource(worker, systemClock),
  }
  const ports = new Proxy({} as Ports, {
    get: (_ports, name) => {
      throw new Error(`this benchmark calls nobody outside, but asked for ${String(name)}`)
    },
  })
  const edge: Edge = {
    ...scope,
    ports,
    tx: (work) => store.write((em) => work({ ...scope, em })),
    read: (work) => store.read((em) => work({ ...scope, em })),
  }
  return { store, edge }
}
