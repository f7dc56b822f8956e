import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ioError, TsbuildError } from '#core'
import { decryptKey, isEncryptedKey } from './encrypted-key.ts'

/** A key as it is kept. Nothing of `pem` may be in an error. */
export interface KeyFile {
  /** Names it in errors: its path, or its variable. */
  readonly name: string
  readonly pem: string
}

type Environment = Readonly<Record<string, string | undefined>>

const VARIABLE = /^env:\/\/(.+)$/

/**
 * Reads a key: a file, or, as `env://NAME`, a variable, so that a pipeline's key need not be on a disk.
 * @throws {TsbuildError} NOT_FOUND for a variable that is not set, PERMISSION_DENIED, IO_FAILED
 */
export function readKey(source: string, env: Environment = {}): KeyFile {
  const variable = VARIABLE.exec(source)?.[1]
  if (variable === undefined) return { name: source, pem: readPem(source) }
  const pem = env[variable]
  if (pem) return { name: `$${variable}`, pem }
  throw new TsbuildError(`no key: the variable ${variable} is not set`, {
    code: 'NOT_FOUND',
    hint: 'env://NAME reads the key from a variable; leave env:// out for a file',
  })
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (cause) {
    throw ioError(`read the key ${file}`, cause)
  }
}

/** Whether `openPrivateKey` needs a password. */
export function needsPassword({ pem }: KeyFile): boolean {
  return isEncryptedKey(pem)
}

/**
 * The private key of a file.
 * @param password what an encrypted one is opened with
 * @throws {TsbuildError} USAGE
 */
export function openPrivateKey(file: KeyFile, password?: string): KeyObject {
  const { name, pem } = file
  if (isEncryptedKey(pem)) {
    if (password === undefined) {
      throw new TsbuildError(`the key in ${name} has a password, and none is given`, {
        code: 'USAGE',
        hint: 'give it with COSIGN_PASSWORD; caches take keys without a password only',
      })
    }
    const key = decryptKey(pem, { password, name })
    return parsed(file, 'private', () => createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  }
  return parsed(file, 'private', () => createPrivateKey(pem))
}

/** The public key of a file, or the public half of the private key in it. @throws {TsbuildError} USAGE */
export function openPublicKey(file: KeyFile): KeyObject {
  return parsed(file, 'public', () => createPublicKey(file.pem))
}

/** Keys of Ed25519 and Ed448 digest by themselves. */
export function digestFor({ asymmetricKeyType }: KeyObject): string | undefined {
  return asymmetricKeyType?.startsWith('ed') === true ? undefined : 'sha256'
}

const HINTS = {
  private:
    'it is a PEM file, as tsbuild sign --generate-key makes PREFIX.key, or openssl genpkey -algorithm ed25519',
  public:
    'it is a PEM file, as tsbuild sign --generate-key makes PREFIX.pub, or openssl pkey -in KEY -pubout',
} as const
type Kind = keyof typeof HINTS

function parsed(file: KeyFile, kind: Kind, parse: () => KeyObject): KeyObject {
  try {
    return parse()
  } catch {
    throw noKeyError(file, kind)
  }
}

function noKeyError({ name }: KeyFile, kind: Kind): TsbuildError {
  return new TsbuildError(`${name} has no ${kind} key`, {
    code: 'USAGE',
    hint: HINTS[kind],
  })
}
