/**
 * TLS: the certificate and the key of `TLS_CERT` and `TLS_KEY`, looked at before they are used.
 *
 * uWebSockets.js would only say that something is wrong, or listen and refuse every handshake. The
 * files are read once: a renewed certificate is taken at the next start.
 */

import uWS, { type TemplatedApp } from 'uWebSockets.js'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError, type Settings } from './config.ts'

type TlsSettings = Pick<Settings, 'tlsCert' | 'tlsKey'>

/** Looks at the files, where they are set. @throws ConfigError where they cannot be used, or not together. */
export function checkTls({ tlsCert, tlsKey }: TlsSettings): void {
  if (tlsCert === undefined || tlsKey === undefined) return
  const certificate = read('TLS_CERT', tlsCert, 'a certificate in PEM', (pem) => new X509Certificate(pem))
  const key = read('TLS_KEY', tlsKey, 'a private key in PEM, without a passphrase', createPrivateKey)
  if (!certificate.checkPrivateKey(key)) {
    throw new ConfigError(`TLS_KEY ${tlsKey} is not the key of the certificate in TLS_CERT ${tlsCert}`)
  }
}

/** The app, which speaks TLS where both files are set. */
export function createApp({ tlsCert, tlsKey }: TlsSettings): TemplatedApp {
  if (tlsCert === undefined || tlsKey === undefined) return uWS.App()
  return uWS.SSLApp({ cert_file_name: tlsCert, key_file_name: tlsKey })
}

function read<T>(variable: string, path: string, takes: string, parse: (pem: Buffer) => T): T {
  let pem: Buffer
  try {
    pem = readFileSync(path)
  } catch (error) {
    throw new ConfigError(`${variable} ${path} cannot be read: ${(error as Error).message}`)
  }
  try {
    return parse(pem)
  } catch {
    // What the parser says may hold parts of the key.
    throw new ConfigError(`${variable} ${path} is not ${takes}`)
  }
}
