/**
 * TLS: the certificate and the key of `TLS_CERT` and `TLS_KEY`, validated before they are used.
 *
 * A transport would only report a generic error, or listen and refuse every handshake. The files are read
 * once: a renewed certificate is used after a restart.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError, type Settings } from './config.ts'
import type { TlsFiles } from './transport/transport.ts'

type TlsSettings = Pick<Settings, 'tlsCert' | 'tlsKey'>

/** The files, if they are set. @throws ConfigError if they are unusable or do not match */
export function readTls({ tlsCert, tlsKey }: TlsSettings): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined
  const certificate = read('TLS_CERT', tlsCert, 'a certificate in PEM', (pem) => new X509Certificate(pem))
  const key = read('TLS_KEY', tlsKey, 'a private key in PEM, without a passphrase', createPrivateKey)
  if (!certificate.checkPrivateKey(key)) {
    throw new ConfigError(`TLS_KEY ${tlsKey} is not the key of the certificate in TLS_CERT ${tlsCert}`)
  }
  return { certFile: tlsCert, keyFile: tlsKey }
}

function read<T>(variable: string, path: string, expected: string, parse: (pem: Buffer) => T): T {
  let pem: Buffer
  try {
    pem = readFileSync(path)
  } catch (error) {
    throw new ConfigError(`${variable} ${path} cannot be read: ${(error as Error).message}`)
  }
  try {
    return parse(pem)
  } catch {
    // The parser's message may contain parts of the key.
    throw new ConfigError(`${variable} ${path} is not ${expected}`)
  }
}
