import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import {
  ApplyRosterInput,
  MapColumnsInput,
  MendedRows,
  MendRowsInput,
  People,
  PeopleInput,
  RemoveRowsInput,
  Replaced,
  ReplaceInput,
  RosterChanges,
  RosterDetail,
  RosterIdInput,
  RosterList,
  RosterListInput,
  RosterRows,
  RosterRowsInput,
  UploadedRoster,
  UploadRosterInput,
} from '../../../contract/hr/staff.ts'
import { rosterLimits } from '../../../contract/roster-limits.ts'
import { endpoint, fileNameHeader, searchHeader, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { startApplying } from './apply-roster.ts'
import { directoryEndpoints } from './directory-endpoints.ts'
import { mapColumns } from './map-columns.ts'
import { mendRows, removeRows, replaceTexts } from './mend-rows.ts'
import { readChanges } from './read-changes.ts'
import { searchPeople } from './read-people.ts'
import { readRosterDetail, readRosterMark, readRosterRows, readRosters } from './read-roster.ts'
import { receiveRoster } from './receive-roster.ts'
import { maskPhone } from './rules.ts'
import { writeFaultyRows } from './write-faulty-rows.ts'
import { writeTemplate } from './write-template.ts'

/** How often the progress of a list is looked at. */
const LOOK_MS = 500
const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

function asDownload(http: Http, fileName: string): void {
  http.setHeader('Content-Type', xlsx)
  http.setHeader('Content-Disposition', `attachment; filename="${fileName}"`)
}

const lists = [
  endpoint({
    method: 'GET',
    path: '/hr/rosters',
    may: 'roster.read',
    scope: 'read',
    input: RosterListInput,
    output: RosterList,
    run: (tx, input) => readRosters(tx, input),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/rosters',
    may: 'roster.write',
    scope: 'edge',
    body: 'raw',
    limitBytes: rosterLimits.fileBytes,
    idempotent: true,
    headerInputs: fileNameHeader,
    input: UploadRosterInput,
    output: UploadedRoster,
    run: (edge, input, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return receiveRoster(edge, { ...input, key }, http.raw ?? Buffer.alloc(0))
    },
  }),
  endpoint({
    method: 'GET',
    path: '/hr/roster-template.xlsx',
    may: 'roster.read',
    scope: 'read',
    input: z.object({}),
    output: 'stream',
    run: (tx, _input, http) => {
      asDownload(http, 'roster-template.xlsx')
      return writeTemplate(tx, http.lang)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/hr/rosters/:id',
    may: 'roster.read',
    scope: 'read',
    input: RosterIdInput,
    output: RosterDetail,
    run: (tx, { id }, http) => readRosterDetail(tx, id, http.lang),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/rosters/:id/events',
    may: 'roster.read',
    scope: 'edge',
    input: RosterIdInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      await edge.read((tx) => readRosterMark(tx, id))
      http.sse(async (send, gone) => {
        let shown = ''
        while (!gone.aborted) {
          const { mark, busy } = await edge.read((tx) => readRosterMark(tx, id))
          if (mark !== shown) send('progress', await edge.read((tx) => readRosterDetail(tx, id, http.lang)))
          shown = mark
          if (!busy) return
          await sleep(LOOK_MS)
        }
      })
    },
  }),
]

const mending = [
  endpoint({
    method: 'PUT',
    path: '/hr/rosters/:id/columns',
    may: 'roster.write',
    scope: 'tx',
    body: 'json',
    input: MapColumnsInput,
    output: RosterDetail,
    run: async (tx, input, http) => {
      await mapColumns(tx, input)
      return readRosterDetail(tx, input.id, http.lang)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/hr/rosters/:id/rows',
    may: 'roster.read',
    scope: 'read',
    headerInputs: searchHeader,
    input: RosterRowsInput,
    output: RosterRows,
    run: (tx, input, http) => readRosterRows(tx, input, http.lang),
  }),
  endpoint({
    method: 'PATCH',
    path: '/hr/rosters/:id/rows',
    may: 'roster.write',
    scope: 'tx',
    body: 'json',
    limitBytes: 4 * 1024 * 1024,
    input: MendRowsInput,
    output: MendedRows,
    run: (tx, input, http) => mendRows(tx, input, http.lang),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/rosters/:id/replace',
    may: 'roster.write',
    scope: 'edge',
    body: 'json',
    input: ReplaceInput,
    output: Replaced,
    run: (edge, input) => replaceTexts(edge, input),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/rosters/:id/remove',
    may: 'roster.write',
    scope: 'tx',
    body: 'json',
    input: RemoveRowsInput,
    output: MendedRows,
    run: (tx, input, http) => removeRows(tx, input, http.lang),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/rosters/:id/faulty.xlsx',
    may: 'roster.read',
    scope: 'edge',
    input: RosterIdInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      const rows = await writeFaultyRows(edge, id, http.lang)
      asDownload(http, 'faulty-rows.xlsx')
      return rows
    },
  }),
]

const applying = [
  endpoint({
    method: 'GET',
    path: '/hr/rosters/:id/changes',
    may: 'roster.read',
    scope: 'edge',
    input: RosterIdInput,
    output: RosterChanges,
    run: (edge, { id }) => readChanges(edge, id),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/rosters/:id/apply',
    may: 'roster.write',
    scope: 'tx',
    body: 'json',
    input: ApplyRosterInput,
    output: RosterDetail,
    run: async (tx, input, http) => {
      await startApplying(tx, input)
      return readRosterDetail(tx, input.id, http.lang)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/hr/people',
    may: 'roster.read',
    scope: 'read',
    headerInputs: searchHeader,
    input: PeopleInput,
    output: People,
    run: async (tx, { query }) => {
      const people = await searchPeople(tx, query)
      return {
        people: people.map(({ id, name, department, staffNo, phone, userid, state }) => ({
          id,
          name,
          department,
          staffNo,
          phone: maskPhone(phone),
          wecomUserId: userid,
          state,
        })),
      }
    },
  }),
]

/** Staff lists and the people they bring (contract/hr/staff.ts). */
export const staffEndpoints: readonly Endpoint[] = [...lists, ...mending, ...applying, ...directoryEndpoints]
