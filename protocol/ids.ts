/**
 * Identities (SPEC 2): how ids look, and how a message id names its group.
 */
import { limits } from './limits.ts'
import { type FieldType, nameText, pattern, text } from './schema.ts'

/** `groupId`: 1 to 64 of `A-Z a-z 0-9 _ -`. */
export const groupId = pattern(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 _ -')

/** `messageId`: `<groupId>:<seq>`, so that it names its group by itself. 15 digits are always safe. */
export const messageId = pattern(/^[A-Za-z0-9_-]{1,64}:[1-9][0-9]{0,14}$/, '<groupId>:<seq>')

const userIdText = text(1, limits.userIdBytes)

/**
 * `userId`: the JWT's `sub`, 1 to 128 bytes of well-formed Unicode (IDN-1). Some decoders swallow a
 * byte order mark at the beginning: two ids would become one.
 */
export const userId: FieldType<string> = {
  ...userIdText,
  shape: {
    kind: 'text',
    min: 1,
    max: limits.userIdBytes,
    except: { regex: /^\ufeff/, rule: 'no byte order mark at its beginning' },
  },
}

/** The name of a user, as their token or the embedding service gives it (TXT-1). */
export const userName: FieldType<string> = nameText(1, limits.nameBytes)

/** Makes the id of the group's message with this number. */
export function toMessageId(group: string, seq: number): string {
  return `${group}:${seq}`
}

/** Takes a valid `messageId` apart. */
export function parseMessageId(id: string): { readonly groupId: string; readonly seq: number } {
  const colon = id.indexOf(':')
  return { groupId: id.slice(0, colon), seq: Number(id.slice(colon + 1)) }
}

/** `fileId`: `<groupId>:f<random>`, so that it too names its group by itself. */
export const fileId = pattern(/^[A-Za-z0-9_-]{1,64}:f[a-z0-9]{16,40}$/, '<groupId>:f<id>')

/** The group that a messageId or a fileId names; a groupId names itself. */
export function groupOfId(id: string): string {
  const colon = id.indexOf(':')
  return colon < 0 ? id : id.slice(0, colon)
}
