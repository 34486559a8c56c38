/**
 * Talk: messages with the word statistics of a chat, for the search index; the same for the same seed.
 *
 * 50,000 words, of which the n-th is used 1/n as often as the first (Zipf), 3 to 16 per message. Words
 * consist of syllables, some with accents; common ones are short.
 */

const WORDS = 50_000
const SHORT_WORDS = 2_000
const syllables = 'ba ce di fo gu há je ki lo mu na pé qui ro su ta ve xi zo ção bra cla tri'.split(' ')

export class Talk {
  readonly #words: readonly string[]
  /** Up to the n-th word, how often any is used. */
  readonly #upTo: Float64Array
  #state: number

  constructor(seed: number) {
    this.#state = seed
    const words = new Set<string>()
    while (words.size < WORDS) {
      const longest = words.size < SHORT_WORDS ? 3 : 6
      let word = ''
      for (let left = 1 + this.below(longest); left > 0; left--) {
        word += syllables[this.below(syllables.length)]
      }
      words.add(word)
    }
    this.#words = [...words]
    let sum = 0
    this.#upTo = Float64Array.from(this.#words, (_, i) => {
      sum += 1 / (i + 1)
      return sum
    })
  }

  /** A whole number from 0, below `end`. */
  below(end: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return Math.floor(((this.#state >>> 0) / 2 ** 32) * end)
  }

  message(): string {
    const words = Array.from({ length: 3 + this.below(14) }, () => this.#anyWord())
    return words.join(' ')
  }

  /** The word of this rank, 0 for the most common. */
  word(rank: number): string {
    return this.#words[rank] as string
  }

  #anyWord(): string {
    const wanted = (this.below(2 ** 30) / 2 ** 30) * (this.#upTo.at(-1) as number)
    let low = 0
    let high = WORDS - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#upTo[middle] as number) < wanted) low = middle + 1
      else high = middle
    }
    return this.word(low)
  }
}
