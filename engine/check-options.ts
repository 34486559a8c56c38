/**
 * Option checks: what a program passes to `createEngine` is checked before anything is started.
 *
 * A wrong value is refused by the name of its option, with what is allowed and what was given; so
 * is a name that is not an option, which is mostly a misspelt one.
 */
import { inspect } from 'node:util'

/** One option: whether it takes a value, and which it takes, in words. */
export interface OptionCheck {
  readonly takes: (value: unknown) => boolean
  readonly rule: string
}

/** @throws TypeError for the first option that is unknown or has a value it does not take */
export function checkOptions(
  given: unknown,
  checks: Readonly<Record<string, OptionCheck>>,
  required: readonly string[],
): void {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`createEngine takes an object of options; given: ${show(given)}`)
  }
  const options = given as Readonly<Record<string, unknown>>
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(checks, name)) continue
    throw new TypeError(`unknown option: ${name}; createEngine takes ${Object.keys(checks).join(', ')}`)
  }
  for (const [name, { takes, rule }] of Object.entries(checks)) {
    const value = options[name]
    if (value === undefined ? required.includes(name) : !takes(value)) {
      throw new TypeError(`${name} takes ${rule}; given: ${show(value)}`)
    }
  }
}

/** A whole number. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionCheck {
  const rule = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
  return { takes: (value) => isWhole(value, min, max), rule: `a whole number ${rule}` }
}

/** A whole number, or one word instead. */
export function wholeOr(word: string, min: number, max: number): OptionCheck {
  const { takes, rule } = whole(min, max)
  return { takes: (value) => value === word || takes(value), rule: `${rule}, or '${word}'` }
}

export function oneOfWords(...words: readonly string[]): OptionCheck {
  return { takes: (value) => words.includes(value as string), rule: `one of ${words.join(', ')}` }
}

export const path: OptionCheck = {
  takes: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
  rule: 'a path',
}

export const callback: OptionCheck = { takes: (value) => typeof value === 'function', rule: 'a function' }

/** An object whose named methods are functions; those of `optional` may be missing. */
export function methods(required: readonly string[], optional: readonly string[] = []): OptionCheck {
  const names = [...required, ...optional].join(', ')
  return {
    takes: (value) => {
      if (typeof value !== 'object' || value === null) return false
      const object = value as Readonly<Record<string, unknown>>
      return (
        required.every((name) => typeof object[name] === 'function') &&
        optional.every((name) => object[name] === undefined || typeof object[name] === 'function')
      )
    },
    rule: `an object with the functions ${names}`,
  }
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}

function show(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 80, breakLength: Number.POSITIVE_INFINITY })
}
