/**
 * Talk: calls and notifications, which are there whatever is on show. Mounted once.
 */
export function Talk() {
  return null
}
