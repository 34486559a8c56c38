/**
 * Other paths: the routes of the HTTP API that are not protocol requests, in OpenAPI.
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
const iceServers = {
  'application/json': {
    schema: {
      type: 'object',
      properties: {
        iceServers: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              urls: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
              username: { type: 'string' },
              credential: { type: 'string' },
            },
            required: ['urls'],
          },
        },
      },
      required: ['iceServers'],
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
    description:
      'Requires `METRICS_TOKEN` as the Bearer token; without it only requests from the same machine are answered.',
    responses: { 200: { description: 'The statistics', content }, default: error },
  },
})

const forAdmins = (operationId: string, summary: string, parameters: readonly JsonSchema[] = []) => ({
  tags: ['operation'],
  operationId,
  summary,
  description: 'Requires a token whose claim `admin` (`JWT_ADMIN_CLAIM`) is `true`.',
  ...(parameters.length > 0 && { parameters }),
  responses: { 200: { description: 'Done', content: anyJson }, default: error },
})
const userConnections = '/api/admin/users/{userId}/connections'

/** By path. */
export const otherPaths: JsonSchema = {
  '/api/chat/files': {
    post: {
      tags: ['files'],
      operationId: 'upload',
      summary: 'Uploads a file into a group, or continues an upload; the body is the file’s bytes.',
      parameters: [
        query('groupId', 'string', 'the group', true),
        query('fileName', 'string', 'the file’s name', true),
        query('mimeType', 'string', 'the declared type; the server detects the type itself'),
        query('fileSize', 'integer', 'size of the whole file, if the body is a part of it'),
        query('sha256', 'string', 'SHA-256 of the whole file, checked at the end'),
        query('uploadId', 'string', 'the upload to continue'),
        query('offset', 'integer', 'the position of the body in the file'),
      ],
      requestBody: { required: true, content: bytes },
      responses: {
        201: { description: 'Stored', content: file },
        202: { description: 'More bytes are required', content: progress },
        default: error,
      },
    },
  },
  '/api/chat/files/uploads/{uploadId}': {
    get: {
      tags: ['files'],
      operationId: 'upload_progress',
      summary: 'The progress of an upload of the caller.',
      parameters: [path('uploadId')],
      responses: { 200: { description: 'The progress', content: progress }, default: error },
    },
  },
  '/api/chat/files/{fileId}': {
    get: {
      tags: ['files'],
      operationId: 'download',
      summary: 'Downloads a file, for members of its group; supports `Range` and `If-None-Match`.',
      parameters: [
        path('fileId'),
        query('token', 'string', 'the token, for elements such as `<img>` that cannot send headers'),
      ],
      responses: {
        200: { description: 'The whole file', content: bytes },
        206: { description: 'The requested range', content: bytes },
        304: { description: 'Not modified' },
        416: { description: 'The range is outside the file' },
        default: error,
      },
    },
  },
  '/api/chat/ice-servers': {
    get: {
      tags: ['chat'],
      operationId: 'ice_servers',
      summary: 'The STUN and TURN servers for calls (`ICE_SERVERS`), as `RTCPeerConnection` expects them.',
      responses: { 200: { description: 'The servers', content: iceServers }, default: error },
    },
  },
  '/healthz': open('Whether the process is alive.'),
  '/readyz': open('Whether the server accepts requests.'),
  '/api/stats': forOperators('stats', 'The server’s statistics.', anyJson),
  '/api/admin/live': {
    get: forAdmins(
      'admin_live',
      'The figures of the dashboard: statistics, threads, busiest groups, alerts.',
    ),
  },
  '/api/admin/log': {
    get: forAdmins('admin_log', 'The last lines of the log, at most 200.', [
      query('from', 'integer', 'the number of the first line: `next` of the answer before'),
    ]),
  },
  [userConnections]: {
    get: forAdmins('admin_connections', 'The open connections of a user.', [path('userId')]),
    delete: forAdmins('admin_disconnect_all', 'Closes all connections of a user with 4403.', [
      path('userId'),
    ]),
  },
  [`${userConnections}/{id}`]: {
    delete: forAdmins('admin_disconnect', 'Closes one connection of a user with 4403.', [
      path('userId'),
      path('id'),
    ]),
  },
  '/metrics': forOperators('metrics', 'The same statistics for Prometheus.', {
    'text/plain': { schema: { type: 'string' } },
  }),
}
