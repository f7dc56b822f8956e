/**
 * Private keys under a password, as cosign keeps them: a JSON document in PEM that says how the password became a
 * key (scrypt) and what that locks (NaCl's secretbox) around the key in PKCS#8.
 */
import { randomBytes, scryptSync } from 'node:crypto'
import { secretbox } from '@noble/ciphers/salsa.js'
import { readDocument, shapes, TsbuildError } from '#core'

/** cosign writes the first, and earlier versions wrote the second. */
const LABELS = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'] as const
const PEM = new RegExp(`-----BEGIN (${LABELS.join('|')})-----([\\sA-Za-z0-9+/=]+)-----END \\1-----`)

/** What cosign takes for new keys: 64 MiB of memory for each guess. */
const PARAMETERS = { N: 65_536, r: 8, p: 1 }
/** Sixteen times that: a file cannot take all memory. */
const MOST_MEMORY = 1024 * 1024 * 1024
const KEY_BYTES = 32
const NONCE_BYTES = 24
const LINE = 64

const { integer, object, string } = shapes
const DOCUMENT = object({
  kdf: object({
    name: string,
    params: object({ N: integer, r: integer, p: integer }),
    salt: string,
  }),
  cipher: object({ name: string, nonce: string }),
  ciphertext: string,
})

/** Whether a key can be opened with a password only. */
export function isEncryptedKey(pem: string): boolean {
  return PEM.test(pem)
}

/**
 * The private key in PKCS#8 (DER).
 * @param name names the key in errors
 * @throws {TsbuildError} USAGE for another password, or a damaged file
 */
export function decryptKey(
  pem: string,
  { password, name }: { readonly password: string; readonly name: string },
): Buffer {
  const bytes = Buffer.from(PEM.exec(pem)?.[2] ?? '', 'base64')
  const hint = 'it is made by cosign generate-key-pair, or tsbuild sign --generate-key'
  const what = `encrypted key in ${name}`
  const {
    kdf = {},
    cipher = {},
    ciphertext,
  } = readDocument(bytes, DOCUMENT, {
    ...{ what, code: 'USAGE', isSecret: true, hint },
  })
  const { N = 0, r = 0, p = 0 } = kdf.params ?? {}
  const nonce = Buffer.from(cipher.nonce ?? '', 'base64')
  const isKnown = kdf.name === 'scrypt' && cipher.name === 'nacl/secretbox'
  const isSane = N > 1 && (N & (N - 1)) === 0 && r > 0 && p > 0 && p <= 16
  if (!isKnown || !isSane || 256 * N * r > MOST_MEMORY || nonce.length !== NONCE_BYTES) {
    throw new TsbuildError(`the ${what} is locked in a way that is not known`, {
      code: 'USAGE',
      hint,
    })
  }
  const key = derive(password, Buffer.from(kdf.salt ?? '', 'base64'), { N, r, p })
  try {
    return Buffer.from(secretbox(key, nonce).open(Buffer.from(ciphertext ?? '', 'base64')))
  } catch {
    // Nothing of the key, or of the password, may be in an error.
    throw new TsbuildError(`cannot open the key in ${name}: wrong password, or a damaged file`, {
      code: 'USAGE',
      hint: 'give its password with COSIGN_PASSWORD',
    })
  }
}

/** The PEM file of a private key (PKCS#8, DER) under a password, which may be empty, as cosign's may. */
export function encryptKey(pkcs8: Uint8Array, password: string): string {
  const salt = randomBytes(KEY_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const ciphertext = secretbox(derive(password, salt, PARAMETERS), nonce).seal(pkcs8)
  const document = {
    kdf: { name: 'scrypt', params: PARAMETERS, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(ciphertext).toString('base64'),
  }
  const body = Buffer.from(JSON.stringify(document)).toString('base64')
  const lines = body.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []
  const [label] = LABELS
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function derive(password: string, salt: Buffer, parameters: typeof PARAMETERS): Buffer {
  const { N, r, p } = parameters
  return scryptSync(password, salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r })
}
