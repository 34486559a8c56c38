/** The WebSocket subprotocols (TRN-2). Without one, the connection uses msgpack. */
export const subprotocols = {
  msgpack: 'tertulia.v1.msgpack',
  json: 'tertulia.v1.json',
  /** Offered together with one of the above: `bearer.<jwt>` contains the token. */
  bearerPrefix: 'bearer.',
} as const
