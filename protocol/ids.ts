/**
 * Ids (IDN-3, IDN-6): their form, and how a message id names its group.
 */
import { limits } from './limits.ts'
import { type FieldType, nameText, pattern, text } from './schema.ts'

/** `groupId`: 1 to 64 characters of `A-Z a-z 0-9 _ -`. */
export const groupId = pattern(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 characters of A-Z a-z 0-9 _ -')

/** `messageId`: `<groupId>:<seq>`, so that it contains the id of its group. 15 digits are always a safe integer. */
export const messageId = pattern(/^[A-Za-z0-9_-]{1,64}:[1-9][0-9]{0,14}$/, '<groupId>:<seq>')

const userIdText = text(1, limits.userIdBytes)

/**
 * `userId`: the JWT's `sub`, 1 to 128 bytes of well-formed Unicode (IDN-1). Some decoders drop a
 * byte order mark at the start, so that two ids would become one.
 */
export const userId: FieldType<string> = {
  ...userIdText,
  shape: {
    kind: 'text',
    min: 1,
    max: limits.userIdBytes,
    except: { regex: /^\ufeff/, rule: 'not start with a byte order mark' },
  },
}

/** The name of a user, from their token or from the embedding service (TXT-1). */
export const userName: FieldType<string> = nameText(1, limits.nameBytes)

/** The id of the message with this seq. */
export function toMessageId(group: string, seq: number): string {
  return `${group}:${seq}`
}

/** Splits a valid `messageId`. */
export function parseMessageId(id: string): { readonly groupId: string; readonly seq: number } {
  const colon = id.indexOf(':')
  return { groupId: id.slice(0, colon), seq: Number(id.slice(colon + 1)) }
}

/** `fileId`: `<groupId>:f<random>`, so that it also contains the id of its group. */
export const fileId = pattern(/^[A-Za-z0-9_-]{1,64}:f[a-z0-9]{16,40}$/, '<groupId>:f<id>')

/** The group of a messageId, a fileId or a groupId. */
export function groupOfId(id: string): string {
  const colon = id.indexOf(':')
  return colon < 0 ? id : id.slice(0, colon)
}
