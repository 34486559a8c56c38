/**
 * Origins: which pages may use the server (TRN-3, 6). One rule for upgrades and HTTP requests.
 *
 * Requests without an `Origin` header do not come from a browser page and are allowed. Pages of the
 * server's own host are always allowed; other pages if `CORS_ORIGINS` contains their origin or `*`.
 */
const MAX_SHOWN_CHARS = 200

export type OriginRule = (origin: string, host: string) => boolean

/** The message of a refusal. */
export function originRefusal(origin: string): string {
  const shown = origin.slice(0, MAX_SHOWN_CHARS)
  return `the origin ${shown} is not allowed: add it to CORS_ORIGINS, or configure the proxy to forward Host with its port`
}

/** Creates the rule for a list of origins. Both arguments are header values, empty if missing. */
export function originRule(allowed: readonly string[]): OriginRule {
  const any = allowed.includes('*')
  const named = new Set(allowed.map((origin) => origin.toLowerCase()))
  return (origin, host) => {
    if (origin === '' || any) return true
    const lower = origin.toLowerCase()
    return named.has(lower) || isOfHost(lower, host.toLowerCase())
  }
}

/**
 * Whether the origin belongs to `host`, with or without the default port of its scheme. An opaque origin
 * (`null`) belongs to no host.
 */
function isOfHost(origin: string, host: string): boolean {
  const [, scheme = '', ofPage] = /^(https?):\/\/([^/]+)$/.exec(origin) ?? []
  const port = scheme === 'https' ? ':443' : ':80'
  return ofPage !== undefined && (ofPage === host || `${ofPage}${port}` === host)
}
