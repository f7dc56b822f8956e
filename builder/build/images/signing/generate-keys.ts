import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errnoOf, ioError, TsbuildError } from '#core'

/** Files of a new key pair. */
export interface KeyFiles {
  /** Under the password; only its owner may read it. */
  readonly privateKey: string
  readonly publicKey: string
}

/**
 * Makes a key pair that signs images, `PREFIX.key` and `PREFIX.pub`, as cosign makes and reads them. A key that is
 * there is never replaced.
 * @throws {TsbuildError} USAGE where there is one, PERMISSION_DENIED, NO_SPACE, IO_FAILED
 */
export async function generateKeyFiles(prefix: string, password: string): Promise<KeyFiles> {
  const { generateKeys } = await import('#signing')
  const files = { privateKey: `${prefix}.key`, publicKey: `${prefix}.pub` }
  const { privateKey, publicKey } = generateKeys(password)
  try {
    // Each gets its name when it is complete.
    const folder = mkdtempSync(join(dirname(prefix), `.${basename(prefix)}-`))
    try {
      place(join(folder, 'key'), privateKey, { path: files.privateKey, mode: 0o600 })
      place(join(folder, 'pub'), publicKey, { path: files.publicKey, mode: 0o644 })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  } catch (cause) {
    throw ioError(`write a key pair to ${prefix}`, cause)
  }
  return files
}

function place(
  temporary: string,
  text: string,
  { path, mode }: { readonly path: string; readonly mode: number },
): void {
  writeFileSync(temporary, text, { mode, flag: 'wx', flush: true })
  try {
    linkSync(temporary, path)
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause
    throw new TsbuildError(`${path} is there already`, {
      code: 'USAGE',
      hint: 'a key that was lost cannot be had again: name another prefix, or remove the file',
      cause,
    })
  }
}
