/**
 * Plural: the form of a text for a number, by the rules of the language.
 */

export interface Forms {
  readonly one: string
  readonly other: string
}

/** A function that picks the form for a number. `#` in a form stands for the number. */
export function pluralIn(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language)
  const number = new Intl.NumberFormat(language)
  return (count, { one, other }) =>
    (rules.select(count) === 'one' ? one : other).replace('#', number.format(count))
}
