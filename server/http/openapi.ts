/**
 * OpenAPI: the HTTP API as a machine-readable document, also for `/swagger`
 * (https://spec.openapis.org/oas/v3.1.1).
 *
 * Generated from the table of routes and the tables of the protocol. Routes that are not protocol requests
 * (files, health, statistics) are in openapi-others.ts.
 */

import { version } from '../../engine/version.ts'
import { errors } from '../../protocol/errors.ts'
import { events } from '../../protocol/events.ts'
import {
  draft2020,
  fieldSchema,
  type JsonSchema,
  objectSchemaOf,
  recordSchemas,
} from '../../protocol/json-schema.ts'
import { limits } from '../../protocol/limits.ts'
import { requests } from '../../protocol/requests.ts'
import { type FieldMap, type FieldType, optional } from '../../protocol/schema.ts'
import { type ApiRoute, apiRoutes, hasBody, pathFields } from './api-routes.ts'
import { otherPaths } from './openapi-others.ts'

/** Builds the document. */
export function openApi(): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of apiRoutes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tertulia',
      version,
      summary: 'A chat engine: groups, messages, receipts, files, search.',
      description:
        'The HTTP API of a Tertulia server. The same requests, rules and limits apply to its WebSocket, ' +
        'which `/asyncapi.json` describes. Limits of texts are bytes of UTF-8.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [
      { name: 'chat', description: 'Groups, messages, users' },
      { name: 'files', description: 'Uploads and downloads' },
      { name: 'operation', description: 'For operators' },
    ],
    paths: { ...paths, ...otherPaths },
    components: {
      schemas: { ...recordSchemas(draft2020), Error: errorSchema },
      responses: {
        Error: {
          description: 'An error; clients decide by `code`',
          content: jsonOf({ $ref: '#/components/schemas/Error' }),
        },
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: '`sub` contains the userId',
        },
      },
    },
  }
}

const errorSchema: JsonSchema = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        code: {
          type: 'string',
          enum: Object.keys(errors),
          description: Object.entries(errors)
            .map(([code, { meaning }]) => `\`${code}\`: ${meaning}`)
            .join('; '),
        },
        message: { type: 'string' },
        field: { type: 'string', description: 'the invalid field' },
        retryAfterMs: { type: 'integer', minimum: 0 },
      },
      required: ['code', 'message'],
    },
  },
  required: ['error'],
}

function operationOf(route: ApiRoute): JsonSchema {
  const { request, status = 200, doc, idempotent, example } = route
  const fields: FieldMap = requests[request].fields
  const inPath = pathFields(route)
  const rest = Object.entries(fields)
    .filter(([name]) => !inPath.includes(name))
    .map(([name, field]): [string, FieldType] => [
      name,
      idempotent && name === 'tempId' ? optional(field) : field,
    ])
  const parameters = [
    ...inPath.map((name) => parameter(name, 'path', fields[name] as FieldType)),
    ...(hasBody(route) ? [] : rest.map(([name, field]) => parameter(name, 'query', field))),
    ...(idempotent ? [idempotencyKey] : []),
  ]
  return {
    tags: ['chat'],
    operationId: operationId(route),
    summary: doc,
    ...(parameters.length > 0 && { parameters }),
    ...(hasBody(route) && rest.length > 0 && { requestBody: bodyOf(Object.fromEntries(rest), example) }),
    responses: {
      [status]: {
        description: 'Done',
        content: jsonOf(objectSchemaOf(events[requests[request].answer].fields, draft2020)),
      },
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

/** The request's name; the second route of a request gets a suffix. */
function operationId({ request, path }: ApiRoute): string {
  const first = apiRoutes.find((route) => route.request === request)
  return first?.path === path ? request : `${request}_all`
}

/** Examples for required parameters. */
const examples: Readonly<Record<string, string>> = {
  groupId: 'kitchen',
  messageId: 'kitchen:41',
  userId: 'bruno',
  emoji: '👍',
  query: 'olá',
}

function parameter(name: string, place: 'path' | 'query', field: FieldType): JsonSchema {
  const required = place === 'path' || !field.optional
  const example = required ? examples[name] : undefined
  return { name, in: place, required, ...(example && { example }), schema: fieldSchema(field, draft2020) }
}

const idempotencyKey: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The tempId, in visible ASCII: requests of one sender with the same key create one message',
  schema: { type: 'string', pattern: `^[!-~]{1,${limits.tempIdBytes}}$` },
}

function bodyOf(fields: FieldMap, example?: object): JsonSchema {
  const schema = objectSchemaOf(fields, draft2020)
  return {
    required: 'required' in schema,
    content: { 'application/json': { schema, ...(example && { example }) } },
  }
}

function jsonOf(schema: JsonSchema): JsonSchema {
  return { 'application/json': { schema } }
}
