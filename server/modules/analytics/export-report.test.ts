import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { Ports } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrand } from '../../testing/reporting.ts'
import { writePeople } from '../delivery/write-people.ts'
import { exportReport } from './export-report.ts'

/** One head more than what is read at a time. */
const HEADS = 1001

/** How many pages of rows are read for a file whose reader leaves while the first of them is read. */
async function pagesRead(edge: Edge, make: (edge: Edge) => Promise<Readable>): Promise<number> {
  const leaves = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  let pages = 0
  const counted: Edge = {
    ...edge,
    read: async (work) => {
      pages += 1
      const page = await edge.read(work)
      leaves.resolve()
      await left.promise
      return page
    },
  }
  const server = createServer((_request, response) => {
    response.flushHeaders()
    void make(counted).then((file) => {
      pipeline(file, response, () => left.resolve())
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  // To leave is a fault in the eyes of the client's own socket.
  client.on('error', () => undefined).on('response', (answer) => answer.on('error', () => undefined))
  await leaves.promise
  client.destroy()
  await left.promise
  // Whoever reads on asks for the next page at once: a read of our own comes after it.
  await edge.read(async () => undefined)
  await new Promise((resolve) => void setImmediate(resolve))
  await new Promise((resolve) => void server.close(resolve))
  return pages
}

onBothDatabases('a file of many rows', (database) => {
  test('is read no further once its reader has left', async () => {
    const company = await aCompany(database)
    const names = Array.from({ length: HEADS }, (_, index) => ({ name: `员工${index}` }))
    const campaign = await anIssuedCampaign(database, company, await somePeople(database, company.id, names), aBrand())
    const edge = database.edge({} as Ports, company.as('hr'))
    expect(await pagesRead(edge, (own) => exportReport(own, {}, null, 'zh'))).toBe(1)
    expect(await pagesRead(edge, (own) => writePeople(own, campaign.id, 'zh'))).toBe(1)
  })
})
