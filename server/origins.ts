/**
 * Origins: which pages may talk to the server (TRN-3, 6). One rule for the upgrade and for HTTP.
 *
 * What sends no `Origin` is no browser and may. A page of the server's own host may always; others
 * where `CORS_ORIGINS` names them or says `*`.
 */
const MAX_SHOWN_CHARS = 200

export type OriginRule = (origin: string, host: string) => boolean

/** What is said of a page that is not allowed. */
export function originRefusal(origin: string): string {
  const shown = origin.slice(0, MAX_SHOWN_CHARS)
  return `the origin ${shown} is not allowed: name it in CORS_ORIGINS, or let the proxy pass on Host with its port`
}

/** Makes the rule of a list of origins. Both arguments are header values, empty where missing. */
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
 * Whether the origin's page comes from `host`, with the default port of its scheme written or not.
 * An opaque origin (`null`) comes from none.
 */
function isOfHost(origin: string, host: string): boolean {
  const [, scheme = '', ofPage] = /^(https?):\/\/([^/]+)$/.exec(origin) ?? []
  const port = scheme === 'https' ? ':443' : ':80'
  return ofPage !== undefined && (ofPage === host || `${ofPage}${port}` === host)
}
