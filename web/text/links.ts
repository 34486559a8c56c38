/**
 * Links: which addresses a message may open, and where a bare address in a text ends.
 *
 * Only `http:`, `https:` and `mailto:` are opened. An address with a user name in front of its host
 * (`https://bank.example@evil.example`) is not a link: it is written to be misread.
 */

const MAX_LENGTH = 2_048
const schemes = new Set(['http:', 'https:', 'mailto:'])
/** What a bare address consists of, up to the first character that cannot be part of it. */
const address = /[^\s<>"`]{1,2049}/y
const trailing = /[.,;:!?'*_~|\]}]/

/** The address as the browser opens it; null if it is not allowed. */
export function safeHref(written: string): string | null {
  if (written.length > MAX_LENGTH || !URL.canParse(written)) return null
  const url = new URL(written)
  if (!schemes.has(url.protocol)) return null
  if (url.protocol !== 'mailto:' && (url.username || url.password || !url.hostname)) return null
  return url.href
}

/** The bare address that begins at `from`, without the punctuation of the sentence after it; null for none. */
export function addressAt(
  text: string,
  from: number,
): { readonly text: string; readonly href: string } | null {
  address.lastIndex = from
  const found = address.exec(text)?.[0]
  if (!found) return null
  const written = found.slice(0, endOfAddress(found))
  const href = safeHref(written.toLowerCase().startsWith('www.') ? `https://${written}` : written)
  return href === null ? null : { text: written, href }
}

/** A closing parenthesis belongs to the address if one was opened in it. */
function endOfAddress(found: string): number {
  let open = 0
  for (const char of found) open += char === '(' ? 1 : char === ')' ? -1 : 0
  let end = found.length
  for (; end > 0; end--) {
    const last = found.charAt(end - 1)
    if (last === ')' && open < 0) open++
    else if (!trailing.test(last)) break
  }
  return end
}

/** Whether a label reads like an address of another host than the one that the link opens. */
export function isMisleading(label: string, href: string): boolean {
  const host = /^\s*(?:[a-z][a-z0-9+.-]*:\/*)?([^\s/?#@]+\.[^\s/?#@]{2,})/iu.exec(label.slice(0, 300))?.[1]
  if (!host) return false
  const url = new URL(href)
  const wanted = url.protocol === 'mailto:' ? url.pathname : url.host
  return !bare(wanted).endsWith(bare(host)) && bare(host) !== bare(wanted)
}

function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^www\./, '')
    .replace(/[.,;:!?]+$/, '')
}
