import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../variables.ts'

/** Where systems keep all authorities in one file: Debian, Fedora, openSUSE, older RHEL, newer RHEL, Alpine and BSD. */
const FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * The authorities that this machine trusts, in PEM: those of `SSL_CERT_FILE`, else of the first usual file that is
 * there, and those of the folders in `SSL_CERT_DIR`. What cannot be read is left out: another one may do.
 */
export function systemAuthorities(environment: Environment): readonly string[] {
  const { SSL_CERT_FILE, SSL_CERT_DIR = '' } = environment
  const folders = SSL_CERT_DIR.split(':').filter((folder) => folder !== '')
  const inFolders = folders.flatMap((folder) =>
    namesIn(folder).flatMap((name) => authoritiesIn(join(folder, name))),
  )
  for (const file of SSL_CERT_FILE ? [SSL_CERT_FILE] : FILES) {
    const found = authoritiesIn(file)
    if (found.length > 0) return [...found, ...inFolders]
  }
  return inFolders
}

function authoritiesIn(file: string): readonly string[] {
  try {
    const text = readFileSync(file, 'latin1')
    return text.includes('-----BEGIN ') ? [text] : []
  } catch {
    return []
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
