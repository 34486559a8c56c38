/**
 * The HTTP page: `docs/HTTP.md`, made from the table of routes.
 */
import { type ApiRoute, apiRoutes, hasBody, pathFields } from '../../server/http/api-routes.ts'

/** Builds the page. */
export function httpPage(): string {
  const rows = apiRoutes.map((route: ApiRoute) => {
    const { method, path, request, doc, status = 200, idempotent } = route
    const notes = [
      ...(pathFields(route).length > 0 ? ['path'] : []),
      hasBody(route) ? 'body' : 'query',
      ...(idempotent ? ['`Idempotency-Key`'] : []),
    ]
    return `| \`${method} ${path}\` | [\`${request}\`](PROTOCOL.md#${request}) | ${notes.join(', ')} | ${status} | ${doc} |`
  })
  return `<!-- Made by \`npm run docs\` from server/http/api-routes.ts: edit the table there, not this page. -->

# The HTTP API

On the same port as the WebSocket: for programs without a socket, and for files. A running server shows it as
\`/swagger\`, and gives it to programs as \`/openapi.json\`.

- \`Authorization: Bearer <JWT>\`, the same tokens as on the socket.
- A route makes the request of the protocol that its row names, with the same fields, rules, limits and answer. Fields
  that the path names are taken from it, others from the query or from a body of JSON.
- An error is \`{"error": {"code", "message", "field"?, "retryAfterMs"?}}\` with the status of the
  [table of errors](PROTOCOL.md#errors), and \`Retry-After\` if a retry time is known.
- Pages of the origins in \`CORS_ORIGINS\` may send requests and read the answers.

| route | request | its fields come from | success | what it does |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

## Files

| route | what it does |
| --- | --- |
| \`POST /api/chat/files?groupId=…&fileName=…\` | Uploads the body, of any length up to \`MAX_UPLOAD\`, into a group; 201 with the [File](PROTOCOL.md#record-file). More in the query: \`mimeType\`, \`sha256\` (hexadecimal, checked at the end). An upload in parts starts with an empty body and \`fileSize\`: 202 returns \`{uploadId, received, size}\`, and further bodies continue with \`uploadId\` and \`offset\` beside the same \`groupId\` and \`fileName\`. |
| \`GET /api/chat/ice-servers\` | \`{iceServers}\`: the STUN and TURN servers of \`ICE_SERVERS\` for calls, as \`RTCPeerConnection\` expects them. |
| \`GET /api/chat/files/uploads/{uploadId}\` | The progress of an upload of the caller. |
| \`GET /api/chat/files/{fileId}\`, \`HEAD\` | A file, for members of its group: \`Range\`, \`If-Range\`, \`If-None-Match\`; \`ETag\` is its SHA-256. \`?token=\` replaces the header if a page cannot send one. |

## For operators

| route | what it does |
| --- | --- |
| \`GET /healthz\`, \`GET /readyz\` | Whether the process is alive, and whether it accepts work; without a token. |
| \`GET /api/stats\`, \`GET /metrics\` | Metrics, as JSON and for Prometheus: [OPERATIONS.md](OPERATIONS.md). |
| \`GET /api/admin/live\`, \`GET /api/admin/log?from=…\` | The figures of the dashboard at \`/admin\`, and the last lines of the log. |
| \`GET /api/admin/users/{userId}/connections\`, \`DELETE\`, \`DELETE …/{id}\` | The open connections of a user; closes all of them, or one, with 4403. |
| \`GET /\`, \`GET /admin\` | The chat page and the dashboard, with their files; not with \`WEB=off\`. |
| \`GET /trial\`, \`POST /trial\` | Development only: a token for a chosen name, in a group of all who try the server (\`{name, key?}\`), for requests of this machine and for those with the key of the link that \`npm start\` prints. |
| \`GET /openapi.json\`, \`GET /asyncapi.json\`, \`GET /swagger\` | This page as OpenAPI, as AsyncAPI, and interactive; without a token. |

Routes below \`/api/admin\` require a token whose claim \`admin\` (\`JWT_ADMIN_CLAIM\`) is \`true\`; other tokens are answered 403
\`forbidden\`. A user whose connections were closed can sign in again while their token is valid: refuse it in the hook
\`authorize\`.
`
}
