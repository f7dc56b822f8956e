import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { TsbuildError } from '#core'
import { encryptKey } from './encrypted-key.ts'
import { digestFor, type KeyFile, openPrivateKey, openPublicKey } from './key-file.ts'

/** Signs what images say of themselves. */
export interface ImageSigner extends ImageVerifier {
  sign(bytes: Uint8Array): Buffer
}

/** Checks signatures of one key. */
export interface ImageVerifier {
  /** Names the key where signatures are found, as cosign does: a digest of its public half. */
  readonly hint: string
  isSigned(bytes: Uint8Array, signature: Uint8Array): boolean
}

/** @throws {TsbuildError} USAGE for another password, or a kind of key that signs no images */
export function imageSigner(file: KeyFile, password?: string): ImageSigner {
  const key = openPrivateKey(file, password)
  checkKind(key, file)
  return {
    ...verifierOf(createPublicKey(key)),
    sign: (bytes) => sign(digestFor(key), bytes, key),
  }
}

/** @throws {TsbuildError} USAGE */
export function imageVerifier(file: KeyFile): ImageVerifier {
  const key = openPublicKey(file)
  checkKind(key, file)
  return verifierOf(key)
}

/** A new key pair in PEM: the private half under a password, as cosign keeps it. */
export function generateKeys(password: string): {
  readonly privateKey: string
  readonly publicKey: string
} {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: CURVE })
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  return {
    privateKey: encryptKey(pkcs8, password),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  }
}

/** P-256: what all that reads such signatures can check. */
const CURVE = 'prime256v1'
const LEAST_RSA_BITS = 2048

/** Larger curves are digested by SHA-256 by one program and by SHA-384 or SHA-512 by another. */
function checkKind(key: KeyObject, { name }: KeyFile): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  const isCurve = type === 'ec' && details.namedCurve === CURVE
  const isRsa = type === 'rsa' && (details.modulusLength ?? 0) >= LEAST_RSA_BITS
  if (isCurve || isRsa || type === 'ed25519') return
  throw new TsbuildError(`the key in ${name} is of a kind that signs no images`, {
    code: 'USAGE',
    hint: 'use ECDSA with P-256, as tsbuild sign --generate-key makes it; RSA of 2048 bits or more and Ed25519 work, too',
  })
}

function verifierOf(key: KeyObject): ImageVerifier {
  const der = key.export({ format: 'der', type: 'spki' })
  return {
    hint: createHash('sha256').update(der).digest('base64'),
    isSigned: (bytes, signature) => verify(digestFor(key), bytes, key, signature),
  }
}
