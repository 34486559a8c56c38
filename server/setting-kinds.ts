/**
 * Setting kinds: what a setting may be, said in words and judged by valibot.
 *
 * A kind reads a setting's text from the environment and judges the value, so that a value given
 * to `createServer` and one from a variable pass the same rule. `takes` is the rule in words: it
 * stands in the refusal and in the configuration table alike.
 */
import * as v from 'valibot'

export interface SettingKind<T = unknown> {
  /** The rule in words: "PORT takes " + takes. */
  readonly takes: string
  readonly schema: v.GenericSchema<unknown, T>
  /** Reads the text of an environment variable; text that cannot be read is left for `schema` to refuse. */
  readonly fromText: (text: string) => unknown
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): SettingKind<number> {
  return {
    takes: `a whole number from ${min} to ${max}`,
    schema: v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max)),
    fromText: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
  }
}

/** A whole number from `min` to `max`, or one of the given words. */
export function wholeOr<const W extends string>(min: number, max: number, word: W): SettingKind<number | W> {
  const number = whole(min, max)
  return {
    takes: `${number.takes}, or ${word}`,
    schema: v.union([number.schema, v.literal(word)]),
    fromText: number.fromText,
  }
}

/** One of the given words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T): SettingKind<T[number]> {
  return { takes: `one of ${words.join(', ')}`, schema: v.picklist(words), fromText: (text) => text }
}

/** `true` or `false`. */
export const flag: SettingKind<boolean> = {
  takes: 'true or false',
  schema: v.boolean(),
  fromText: (text) =>
    text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text,
}

/** A text of `min` to `max` bytes. */
export function text(min: number, max: number): SettingKind<string> {
  return {
    takes: `a text of ${min} to ${max} bytes`,
    schema: v.pipe(v.string(), v.minBytes(min), v.maxBytes(max)),
    fromText: (value) => value,
  }
}

/** A token as an HTTP header carries it: `min` to `max` visible characters of ASCII. */
export function bearer(min: number, max: number): SettingKind<string> {
  return {
    takes: `${min} to ${max} visible characters without spaces`,
    schema: v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/), v.minLength(min), v.maxLength(max)),
    fromText: (value) => value,
  }
}

/** An `http:` or `https:` address. */
export const webAddress: SettingKind<string> = {
  takes: 'an http or https address',
  schema: v.pipe(
    v.string(),
    v.check((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)),
  ),
  fromText: (value) => value,
}

/** A secret for HS256. A PEM public key is refused: everybody who knows it could make tokens with it. */
export const sharedSecret: SettingKind<string> = {
  takes: 'a secret of 32 to 4096 bytes, not a key in PEM (a public key goes to JWT_PUBLIC_KEY)',
  schema: v.pipe(
    v.string(),
    v.minBytes(32),
    v.maxBytes(4_096),
    v.check((value) => !/-----BEGIN [A-Z0-9 ]*(PUBLIC KEY|CERTIFICATE)-----/.test(value)),
  ),
  fromText: (value) => value,
}

/** A public key in PEM and nothing else; the line breaks may be written `\n`, as many tools store them. */
export const publicKeyPem: SettingKind<string> = {
  takes: 'one public key in PEM, "-----BEGIN PUBLIC KEY-----…", and no private key',
  schema: v.pipe(v.string(), v.regex(/^\s*-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\s*$/)),
  fromText: (value) => value.replaceAll('\\n', '\n'),
}

/** Origins, separated by commas; `*` is any. */
export const origins: SettingKind<readonly string[]> = {
  takes: 'a comma-separated list of origins (https://chat.example), or *',
  schema: v.array(v.pipe(v.string(), v.regex(/^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+)$/i))),
  fromText: (value) =>
    value
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
}
