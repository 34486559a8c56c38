/**
 * File address: the id of a file and its URL.
 */

/** IDN-6: like a messageId, a fileId contains its group id. */
export function fileIdOf(groupId: string, newId: string): string {
  return `${groupId}:f${newId}`
}

/** A path of the server's HTTP API. A fileId contains no characters that a path must escape. */
export function fileUrl(fileId: string): string {
  return `/api/chat/files/${fileId}`
}
