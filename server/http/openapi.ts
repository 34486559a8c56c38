/**
 * OpenAPI: the HTTP API as a document for programs and for `/swagger` (https://spec.openapis.org/oas/v3.1.1).
 *
 * Made from the table of routes and the tables of the protocol; only the routes that are no request
 * of the protocol (files, health, figures) are described here by hand.
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
import { type ApiRoute, apiRoutes, pathFields, takesBody } from './api-routes.ts'
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
        'The HTTP side of a Tertulia server. The same requests, rules and limits hold on its WebSocket, ' +
        'which `/asyncapi.json` describes. Limits of texts are bytes of UTF-8.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [
      { name: 'chat', description: 'Groups, messages, people' },
      { name: 'files', description: 'Uploads and downloads' },
      { name: 'operation', description: 'For whoever runs the server' },
    ],
    paths: { ...paths, ...otherPaths },
    components: {
      schemas: { ...recordSchemas(draft2020), Error: errorSchema },
      responses: {
        Error: {
          description: 'Refused; act on `code`',
          content: jsonOf({ $ref: '#/components/schemas/Error' }),
        },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: '`sub` is the userId' },
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
        field: { type: 'string', description: 'the field to blame' },
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
    ...(takesBody(route) ? [] : rest.map(([name, field]) => parameter(name, 'query', field))),
    ...(idempotent ? [idempotencyKey] : []),
  ]
  return {
    tags: ['chat'],
    operationId: operationId(route),
    summary: doc,
    ...(parameters.length > 0 && { parameters }),
    ...(takesBody(route) && rest.length > 0 && { requestBody: bodyOf(Object.fromEntries(rest), example) }),
    responses: {
      [status]: {
        description: 'Done',
        content: jsonOf(objectSchemaOf(events[requests[request].answer].fields, draft2020)),
      },
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

/** The request's name; where two routes make it, the second says of what. */
function operationId({ request, path }: ApiRoute): string {
  const first = apiRoutes.find((route) => route.request === request)
  return first?.path === path ? request : `${request}_all`
}

/** Of what paths and queries need, to begin with when trying them. */
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
  description: 'The tempId, in visible ASCII: the same key of the same sender makes one message',
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
