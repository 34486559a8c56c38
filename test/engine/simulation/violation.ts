/**
 * Violation: something that the engine promises, and that did not hold.
 */
export class Violation extends Error {
  override readonly name = 'Violation'
}
