/**
 * Progress lines: at most one line per second, after the first second.
 */
const EVERY_MS = 1_000

/** `line` is called only if it is printed. */
export function progressLines(print: (line: string) => void): (line: () => string) => void {
  let lastMs = performance.now()
  return (line) => {
    if (performance.now() - lastMs < EVERY_MS) return
    lastMs = performance.now()
    print(line())
  }
}
