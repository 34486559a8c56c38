/**
 * Option checks: the options of a public function are validated before anything is started.
 *
 * The error names the option, the rule and the given value. An unknown name is refused, because it is
 * usually a misspelt option.
 */
import { inspect } from 'node:util'

/** One option: its validation, and the rule in words. */
export interface OptionCheck {
  readonly accepts: (value: unknown) => boolean
  readonly rule: string
}

/** @throws TypeError for the first option that is unknown or invalid */
export function checkOptions(
  given: unknown,
  checks: Readonly<Record<string, OptionCheck>>,
  required: readonly string[],
  of = 'createEngine',
): void {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`the options of ${of} must be an object (got ${show(given)})`)
  }
  const options = given as Readonly<Record<string, unknown>>
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(checks, name)) continue
    throw new TypeError(`unknown option: ${name}; known options: ${Object.keys(checks).join(', ')}`)
  }
  for (const [name, { accepts, rule }] of Object.entries(checks)) {
    const value = options[name]
    if (value === undefined ? required.includes(name) : !accepts(value)) {
      throw new TypeError(`${name} must be ${rule} (got ${show(value)})`)
    }
  }
}

/** An integer. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionCheck {
  const rule = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
  return { accepts: (value) => isIntegerWithin(value, min, max), rule: `an integer ${rule}` }
}

/** An integer, or one word instead. */
export function integerOr(word: string, min: number, max: number): OptionCheck {
  const { accepts, rule } = integer(min, max)
  return { accepts: (value) => value === word || accepts(value), rule: `${rule}, or '${word}'` }
}

export function oneOfWords(...words: readonly string[]): OptionCheck {
  return { accepts: (value) => words.includes(value as string), rule: `one of ${words.join(', ')}` }
}

export const path: OptionCheck = {
  accepts: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
  rule: 'a path',
}

export const callback: OptionCheck = { accepts: (value) => typeof value === 'function', rule: 'a function' }

/** An object with functions of these names; those of `optional` may be missing. */
export function methods(required: readonly string[], optional: readonly string[] = []): OptionCheck {
  const names = [...required, ...optional].join(', ')
  return {
    accepts: (value) => {
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

function isIntegerWithin(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}

function show(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 80, breakLength: Number.POSITIVE_INFINITY })
}
