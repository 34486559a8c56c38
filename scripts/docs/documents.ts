/**
 * Documents: every file that is made from code, as text. `npm run docs` writes them,
 * and a test compares them with what is there, so that none can be stale.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reference } from '../../protocol/reference.ts'
import { configurationTable, processTable } from '../../server/settings-reference.ts'
import { docComments } from './doc-comments.ts'
import { httpPage } from './http-page.ts'
import { permissionsPage } from './permissions-page.ts'
import { protocolPage } from './protocol-page.ts'
import { wireNumbers, wireTable } from './wire-table.ts'

/** The documents by their path below `root`, the folder of package.json, where the sources are read. */
export function documents(root: string): ReadonlyMap<string, string> {
  const comments = (table: string) => docComments(readFileSync(join(root, 'protocol', `${table}.ts`), 'utf8'))
  const page = protocolPage({
    requests: comments('requests'),
    events: comments('events'),
    records: comments('records'),
    limits: comments('limits'),
  })
  return new Map([
    ['docs/PROTOCOL.md', page],
    ['docs/protocol.json', referenceText()],
    ['docs/CONFIGURATION.md', configurationPage()],
    ['docs/PERMISSIONS.md', permissionsPage()],
    ['docs/HTTP.md', httpPage()],
    ['client/wire-table.ts', wireTable()],
    ['client/wire-numbers.ts', wireNumbers()],
  ])
}

/** One line for each message, record and error: indented JSON would be twice as large. */
function referenceText(): string {
  const parts = Object.entries(reference()).map(([name, part]) => `"${name}": ${linesOf(part)}`)
  return `{\n${parts.join(',\n')}\n}\n`
}

function linesOf(part: unknown): string {
  if (Array.isArray(part)) return `[\n${part.map((entry) => JSON.stringify(entry)).join(',\n')}\n]`
  if (typeof part !== 'object' || part === null) return JSON.stringify(part)
  const entries = Object.entries(part).map(([name, entry]) => `"${name}": ${JSON.stringify(entry)}`)
  return `{\n${entries.join(',\n')}\n}`
}

function configurationPage(): string {
  return `<!-- Made by \`npm run docs\` from server/config.ts: edit the table there, not this page. -->

# Configuration

Every setting is an environment variable of \`tertulia serve\` and an option of \`createServer\`. The
server does not start with an invalid value; the error names the variable, the allowed values and the given one. An
empty variable counts as not set. At most one of \`JWT_SECRET\`, \`JWT_PUBLIC_KEY\` and \`JWT_JWKS_URL\` can be set; it
verifies the tokens.

${configurationTable()}
## Processes

Only for \`tertulia serve\`, see [FRONTS.md](FRONTS.md).

${processTable()}`
}
