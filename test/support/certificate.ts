/**
 * Certificate for tests: a self-signed one for `localhost`, in a folder, in the form of the TLS settings.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { temporaryFolder } from './engines.ts'

/** PEM files. A client that trusts `tlsCert` as an authority trusts the server that uses both. */
interface CertificateFiles {
  readonly tlsCert: string
  readonly tlsKey: string
}

export async function aCertificate(): Promise<CertificateFiles> {
  const folder = temporaryFolder()
  const [tlsCert, tlsKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  writeFileSync(tlsCert, made.cert)
  writeFileSync(tlsKey, made.private)
  return { tlsCert, tlsKey }
}
