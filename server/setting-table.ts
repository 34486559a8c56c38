/**
 * Setting table: settings as rows, and what is derived from any such table: types, the parsing of the
 * environment, validation, defaults.
 */
import * as v from 'valibot'
import type { SettingKind } from './setting-kinds.ts'

export interface SettingSpec {
  /** The environment variable. */
  readonly env: string
  readonly kind: SettingKind
  /** The value if none is given; undefined means "not set". A function if it depends on the machine. */
  readonly default: unknown
  /** The default in words, if it is a function. */
  readonly defaultText?: string
  readonly unit?: string
  /** The value is not shown in errors. */
  readonly secret?: true
  /** The description in the table of the docs. */
  readonly doc: string
}

export type SettingTable = Readonly<Record<string, SettingSpec>>

type KindOf<S extends SettingSpec> = S['kind'] extends SettingKind<infer T> ? T : never
type MayBeUnset<S extends SettingSpec> = undefined extends S['default'] ? undefined : never

/** Every setting of a table, validated, with the defaults filled in. */
export type ValuesOf<T extends SettingTable> = { readonly [N in keyof T]: KindOf<T[N]> | MayBeUnset<T[N]> }

/** Settings as given; missing or undefined ones get their default. */
export type GivenOf<T extends SettingTable> = { readonly [N in keyof T]?: KindOf<T[N]> | undefined }

/** A setting is invalid; the message names its variable and the rule. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Parses the variables of the table; an empty one counts as not set.
 * @throws ConfigError for the first invalid one.
 */
export function valuesFromEnv<T extends SettingTable>(
  table: T,
  env: Readonly<Record<string, string | undefined>>,
): GivenOf<T> {
  const given: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value = env[row.env]
    if (value !== undefined && value !== '') given[name] = validate(row, row.kind.fromText(value))
  }
  return given as GivenOf<T>
}

/**
 * Validates the given settings and fills in the defaults.
 * @throws ConfigError for the first invalid one.
 */
export function resolveTable<T extends SettingTable>(table: T, given: GivenOf<T>): ValuesOf<T> {
  const resolved: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value: unknown = given[name]
    if (value !== undefined) resolved[name] = validate(row, value)
    else resolved[name] = typeof row.default === 'function' ? row.default() : row.default
  }
  return resolved as ValuesOf<T>
}

function validate(row: SettingSpec, value: unknown): unknown {
  const result = v.safeParse(row.kind.schema, value)
  if (result.success) return result.output
  const given = row.secret || isKey(value) ? '' : ` (got ${shorten(JSON.stringify(value))})`
  throw new ConfigError(`${row.env} must be ${row.kind.rule}${given}`)
}

/** A key in the wrong variable; no part of it is shown. */
function isKey(value: unknown): boolean {
  return JSON.stringify(value)?.includes('PRIVATE KEY') ?? false
}

function shorten(shown: string | undefined): string {
  const whole = shown ?? 'undefined'
  return whole.length > 80 ? `${whole.slice(0, 80)}…` : whole
}
