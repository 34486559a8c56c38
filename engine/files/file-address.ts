/**
 * File address: the id of a file and where it is fetched.
 */

/** IDN-6: like a messageId, a fileId names its group by itself. */
export function fileIdOf(groupId: string, newId: string): string {
  return `${groupId}:f${newId}`
}

/** A path of the server's HTTP API. A fileId has nothing that a path would need to escape. */
export function fileUrl(fileId: string): string {
  return `/api/chat/files/${fileId}`
}
