/**
 * Setting kinds: the allowed values of a setting, as a rule in words and as a valibot schema.
 *
 * A kind parses the text of an environment variable and validates the value, so a value passed to
 * `createServer` and one from a variable follow the same rule. `rule` is used in error messages and in the
 * configuration table.
 */
import * as v from 'valibot'

export interface SettingKind<T = unknown> {
  /** The rule in words: "PORT must be " + rule. */
  readonly rule: string
  readonly schema: v.GenericSchema<unknown, T>
  /** Parses the text of an environment variable; returns the text unchanged if it cannot be parsed. */
  readonly fromText: (text: string) => unknown
}

/** An integer from `min` to `max`. */
export function integer(min: number, max: number): SettingKind<number> {
  return {
    rule: `an integer from ${min} to ${max}`,
    schema: v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max)),
    fromText: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
  }
}

/** An integer from `min` to `max`, or the given word. */
export function integerOr<const W extends string>(
  min: number,
  max: number,
  word: W,
): SettingKind<number | W> {
  const number = integer(min, max)
  return {
    rule: `${number.rule}, or ${word}`,
    schema: v.union([number.schema, v.literal(word)]),
    fromText: number.fromText,
  }
}

/** One of the given words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T): SettingKind<T[number]> {
  return { rule: `one of ${words.join(', ')}`, schema: v.picklist(words), fromText: (text) => text }
}

/** `true` or `false`. */
export const flag: SettingKind<boolean> = {
  rule: 'true or false',
  schema: v.boolean(),
  fromText: (text) =>
    text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text,
}

/** A text of `min` to `max` bytes. */
export function text(min: number, max: number): SettingKind<string> {
  return {
    rule: `a text of ${min} to ${max} bytes`,
    schema: v.pipe(v.string(), v.minBytes(min), v.maxBytes(max)),
    fromText: (value) => value,
  }
}

/** A token in an HTTP header: `min` to `max` visible ASCII characters. */
export function bearer(min: number, max: number): SettingKind<string> {
  return {
    rule: `${min} to ${max} visible ASCII characters without spaces`,
    schema: v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/), v.minLength(min), v.maxLength(max)),
    fromText: (value) => value,
  }
}

/** An `http:` or `https:` URL. */
export const webAddress: SettingKind<string> = {
  rule: 'an http or https URL',
  schema: v.pipe(
    v.string(),
    v.check((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)),
  ),
  fromText: (value) => value,
}

/** A secret for HS256. A PEM public key is refused: everyone who knows it could sign tokens. */
export const sharedSecret: SettingKind<string> = {
  rule: 'a secret of 32 to 4096 bytes, not a PEM key (use JWT_PUBLIC_KEY for a public key)',
  schema: v.pipe(
    v.string(),
    v.minBytes(32),
    v.maxBytes(4_096),
    v.check((value) => !/-----BEGIN [A-Z0-9 ]*(PUBLIC KEY|CERTIFICATE)-----/.test(value)),
  ),
  fromText: (value) => value,
}

/** One PEM public key. Line breaks may be written as `\n`, because many tools store them so. */
export const publicKeyPem: SettingKind<string> = {
  rule: 'one PEM public key ("-----BEGIN PUBLIC KEY-----…"), not a private key',
  schema: v.pipe(v.string(), v.regex(/^\s*-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\s*$/)),
  fromText: (value) => value.replaceAll('\\n', '\n'),
}

/** A STUN or TURN server, as browsers expect it (`RTCIceServer`). */
export interface IceServer {
  readonly urls: string | readonly string[]
  readonly username?: string | undefined
  readonly credential?: string | undefined
}

// A browser refuses the whole list for one address that it cannot read.
const iceUrl = v.pipe(
  v.string(),
  v.maxLength(512),
  v.regex(/^(stuns?:[^\s/?#@]+|turns?:[^\s/?#@]+(\?transport=(udp|tcp))?)$/),
)
const iceServer = v.pipe(
  v.strictObject({
    urls: v.union([iceUrl, v.pipe(v.array(iceUrl), v.minLength(1), v.maxLength(8))]),
    username: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(512))),
    credential: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(512))),
  }),
  v.check(
    ({ urls, username, credential }) =>
      ![urls].flat().some((url) => url.startsWith('turn')) ||
      (username !== undefined && credential !== undefined),
  ),
)

/** STUN and TURN servers, as JSON in a variable. */
export const iceServers: SettingKind<readonly IceServer[]> = {
  rule: 'a JSON list of at most 8 servers: `[{"urls": "stun:host:port"}, {"urls": "turn:host:port", "username": "…", "credential": "…"}]`',
  schema: v.pipe(v.array(iceServer), v.maxLength(8)),
  fromText: (value) => {
    try {
      return JSON.parse(value)
    } catch {
      return value
    }
  },
}

/** Origins separated by commas; `*` allows every origin. */
export const origins: SettingKind<readonly string[]> = {
  rule: 'a comma-separated list of origins (https://chat.example), or *',
  schema: v.array(v.pipe(v.string(), v.regex(/^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+)$/i))),
  fromText: (value) =>
    value
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
}
