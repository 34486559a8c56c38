/**
 * Direction: whether a text is written from right to left, by its first letter. The browser's `dir="auto"` would
 * use the first letter of the sender's name, which stands above the text.
 */
const right =
  /^[^\p{L}]*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u

export function directionOf(text: string): 'rtl' | undefined {
  return right.test(text) ? 'rtl' : undefined
}
