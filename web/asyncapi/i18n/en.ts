/** English texts of the page of the socket API. */
import { pluralIn } from '../../i18n/plural.ts'

const plural = pluralIn('en')

export const en = {
  pages: 'Pages',
  chat: 'Chat',
  dashboard: 'Dashboard',
  httpApi: 'HTTP API',
  socketApi: 'Socket API',

  title: 'Socket API',
  version: (version: string) => `Version ${version}`,
  address: (address: string) => `WebSocket at ${address}`,
  download: 'The document: asyncapi.json',
  failed: (why: string) => `asyncapi.json could not be loaded: ${why}`,
  loading: 'Loading …',
  filter: 'Filter messages and fields',
  found: (n: number) => plural(n, { one: '# message', other: '# messages' }),
  messages: 'Messages',
  requests: 'Requests',
  requestsText: 'A client sends them.',
  events: 'Events',
  eventsText: 'The server sends them.',
  records: 'Records',
  recordsText: 'Objects that messages contain.',
  code: (code: number) => `code ${code}`,
  field: 'Field',
  type: 'Type',
  meaning: 'Rule',
  required: 'required',
  optional: 'optional',
  noFields: 'No fields.',
  answeredBy: 'Answered by',
  answersTo: 'Answers',
  example: 'Example',
  list: (of: string) => `list of ${of}`,
  atMost: (n: string) => `at most ${n}`,
  atLeast: (n: string) => `at least ${n}`,
}

export type AsyncApiTexts = typeof en
