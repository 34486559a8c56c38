/**
 * Other paths: routes of the HTTP API that are no request of the protocol, as OpenAPI has them.
 */
import type { JsonSchema } from '../../protocol/json-schema.ts'

const error = { $ref: '#/components/responses/Error' }
const file = { 'application/json': { schema: { $ref: '#/components/schemas/File' } } }
const anyJson = { 'application/json': { schema: { type: 'object' } } }
const bytes = { 'application/octet-stream': { schema: {} } }
const progress = {
  'application/json': {
    schema: {
      type: 'object',
      properties: {
        uploadId: { type: 'string' },
        received: { type: 'integer', minimum: 0 },
        size: { type: 'integer', minimum: 0 },
      },
      required: ['uploadId', 'received', 'size'],
    },
  },
}

const query = (name: string, type: 'string' | 'integer', description: string, required = false) => ({
  name,
  in: 'query',
  required,
  description,
  schema: { type },
})
const path = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } })

const open = (summary: string, content: JsonSchema = anyJson) => ({
  get: {
    tags: ['operation'],
    summary,
    security: [],
    responses: { 200: { description: 'Yes', content }, default: { description: 'No' } },
  },
})
const forOperators = (operationId: string, summary: string, content: JsonSchema) => ({
  get: {
    tags: ['operation'],
    operationId,
    summary,
    description: 'With `METRICS_TOKEN` set, that is the Bearer token; without, only from the same machine.',
    responses: { 200: { description: 'The figures', content }, default: error },
  },
})

/** By path. */
export const otherPaths: JsonSchema = {
  '/api/chat/files': {
    post: {
      tags: ['files'],
      operationId: 'upload',
      summary: 'Uploads a file into a group, or goes on with an upload; the body is the bytes.',
      parameters: [
        query('groupId', 'string', 'the group', true),
        query('fileName', 'string', 'its name', true),
        query('mimeType', 'string', 'what it is said to be; the server looks itself'),
        query('fileSize', 'integer', 'of the whole file, where the body is a part of it'),
        query('sha256', 'string', 'of the whole file, checked at the end'),
        query('uploadId', 'string', 'of an upload to go on with'),
        query('offset', 'integer', 'where the body belongs'),
      ],
      requestBody: { required: true, content: bytes },
      responses: {
        201: { description: 'Kept', content: file },
        202: { description: 'More bytes are to come', content: progress },
        default: error,
      },
    },
  },
  '/api/chat/files/uploads/{uploadId}': {
    get: {
      tags: ['files'],
      operationId: 'upload_progress',
      summary: 'How far an upload of one’s own is.',
      parameters: [path('uploadId')],
      responses: { 200: { description: 'So far', content: progress }, default: error },
    },
  },
  '/api/chat/files/{fileId}': {
    get: {
      tags: ['files'],
      operationId: 'download',
      summary: 'A file, for members of its group; takes `Range` and `If-None-Match`.',
      parameters: [
        path('fileId'),
        query('token', 'string', 'instead of the header, for `<img>` and the like'),
      ],
      responses: {
        200: { description: 'All of it', content: bytes },
        206: { description: 'A part of it', content: bytes },
        304: { description: 'Not modified' },
        416: { description: 'There is no such part' },
        default: error,
      },
    },
  },
  '/healthz': open('Whether the process is alive.'),
  '/readyz': open('Whether it takes work.'),
  '/api/stats': forOperators('stats', 'The server’s figures.', anyJson),
  '/metrics': forOperators('metrics', 'The same for Prometheus.', {
    'text/plain': { schema: { type: 'string' } },
  }),
}
