/** Portuguese texts of the page of the socket API. */
import { pluralIn } from '../../i18n/plural.ts'
import type { AsyncApiTexts } from './en.ts'

const plural = pluralIn('pt')

export const pt: AsyncApiTexts = {
  pages: 'Páginas',
  chat: 'Chat',
  dashboard: 'Painel',
  httpApi: 'API HTTP',
  socketApi: 'API de sockets',

  title: 'API de sockets',
  version: (version) => `Versão ${version}`,
  address: (address) => `WebSocket em ${address}`,
  download: 'O documento: asyncapi.json',
  failed: (why) => `asyncapi.json não foi carregado: ${why}`,
  loading: 'A carregar …',
  filter: 'Filtrar mensagens e campos',
  found: (n) => plural(n, { one: '# mensagem', other: '# mensagens' }),
  messages: 'Mensagens',
  requests: 'Pedidos',
  requestsText: 'Enviados por um cliente.',
  events: 'Eventos',
  eventsText: 'Enviados pelo servidor.',
  records: 'Registos',
  recordsText: 'Objetos contidos nas mensagens.',
  code: (code) => `código ${code}`,
  field: 'Campo',
  type: 'Tipo',
  meaning: 'Regra',
  required: 'obrigatório',
  optional: 'opcional',
  noFields: 'Sem campos.',
  answeredBy: 'Respondido por',
  answersTo: 'Responde a',
  example: 'Exemplo',
  list: (of) => `lista de ${of}`,
  atMost: (n) => `no máximo ${n}`,
  atLeast: (n) => `no mínimo ${n}`,
}
