import { z } from 'zod'
import { errorCodes } from '../../contract/error-codes.ts'
import type { Endpoint } from './endpoint.ts'

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errorCodes) },
    detail: { type: 'string' },
    field: { type: 'string' },
    row: { type: 'integer' },
    availableFen: { type: 'integer' },
    requestId: { type: 'string' },
  },
}

/** Of what is asked by programs that sign (`signed`); browsers have session cookies, which a document cannot hand out. */
const terminalScheme = {
  type: 'http',
  scheme: 'FULIKA-HMAC-SHA256',
  description:
    'Authorization: FULIKA-HMAC-SHA256 terminal=<id>,timestamp=<seconds>,nonce=<16 to 64 characters>,signature=<hex>; the signature is HMAC-SHA256 with the terminal key over method, path with query, timestamp and nonce, each followed by a line feed, then the bytes of the body (docs/pos.md).',
}

/** An OpenAPI 3.1 document of the endpoint records, in a stable order. */
export function openApiOf(endpoints: readonly Endpoint[], info = { title: 'Fulika', version: '0.1.0' }): object {
  const paths: Record<string, Record<string, object>> = {}
  const order = (one: Endpoint): string => `${one.path} ${one.method}`
  for (const one of endpoints.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const path = one.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operationOf(one) }
  }
  const components = { securitySchemes: { terminal: terminalScheme }, schemas: { Problem: problemSchema } }
  return { openapi: '3.1.0', info, paths, components }
}

function operationOf(one: Endpoint): object {
  const { properties = {}, required = [] } = z.toJSONSchema(one.input, { io: 'input', unrepresentable: 'any' })
  const inPath = new Set([...one.path.matchAll(/:(\w+)/g)].map((match) => match[1]))
  const parameters: object[] = [...inPath].map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: properties[name ?? ''] ?? { type: 'string' },
  }))
  const inHeader = new Map(Object.entries(one.headerInputs ?? {}).map(([header, field]) => [field, header]))
  const rest = Object.entries(properties).filter(([name]) => !inPath.has(name))
  if (one.body !== 'json') {
    for (const [name, schema] of rest) {
      const header = inHeader.get(name)
      const place = header === undefined ? { name, in: 'query' } : { name: header, in: 'header' }
      parameters.push({ ...place, required: required.includes(name), schema })
    }
  }
  if (one.idempotent === true)
    parameters.push({ name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string' } })
  const requiredInBody = required.filter((name) => !inPath.has(name))
  const json = { type: 'object', properties: Object.fromEntries(rest), required: requiredInBody }
  const content = one.body === 'json' ? { 'application/json': { schema: json } } : { 'application/octet-stream': {} }
  const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return {
    'x-ability': one.may,
    ...(one.signed === true ? { security: [{ terminal: [] }] } : {}),
    parameters,
    ...(one.body === 'json' || one.body === 'raw' ? { requestBody: { required: true, content } } : {}),
    responses: { 200: answerOf(one), default: { description: 'Refused', content: problem } },
  }
}

function answerOf(one: Endpoint): object {
  if (one.output === 'stream') return { description: 'A stream or a file' }
  const schema = z.toJSONSchema(one.output, { io: 'output', unrepresentable: 'any' })
  return { description: 'Done', content: { 'application/json': { schema } } }
}
