/** The WebSocket subprotocols of SPEC 1. Without one, msgpack is spoken. */
export const subprotocols = {
  msgpack: 'tertulia.v1.msgpack',
  json: 'tertulia.v1.json',
  /** Offered beside one of the above: `bearer.<jwt>` carries the token. */
  bearerPrefix: 'bearer.',
} as const
