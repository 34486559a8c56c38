/** What is wrong with a file to import, one text for each line; the message has all of them. */
export class ImportError extends Error {
  override readonly name = 'ImportError'
}

/** An error in one line. */
export function lineError(line: number, what: string): ImportError {
  return new ImportError(`line ${line}: ${what}`)
}
