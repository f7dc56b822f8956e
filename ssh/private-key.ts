import { Buffer } from 'node:buffer'
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { TsbuildError } from '#core'
import { WireReader, wireInteger, wireString } from './wire.ts'

/** A key that can sign. */
export interface PrivateKey {
  /** The public half, as servers know it. Spec: RFC 4253 section 6.6 */
  readonly blob: Buffer
  readonly comment: string
  readonly key: KeyObject
  readonly kind: 'ed25519' | 'rsa' | Curve
}

/** An elliptic curve, by its name in SSH. */
type Curve = 'nistp256' | 'nistp384' | 'nistp521'

interface Parsed {
  readonly key: KeyObject
  readonly comment: string
}

/**
 * Reads a private key file: OpenSSH's own form, or PEM (PKCS#1, PKCS#8, SEC 1).
 * @param name names the file in messages
 * @throws {TsbuildError} USAGE, with nothing of the file in its message
 */
export function parsePrivateKey(text: string, name: string): PrivateKey {
  try {
    const parsed = parseOpenSsh(text) ?? { key: createPrivateKey(text), comment: name }
    return described(parsed)
  } catch (cause) {
    if (cause instanceof TsbuildError) throw cause
    const isEncrypted = cause instanceof EncryptedKeyError || ENCRYPTED.test(text)
    const problem = isEncrypted
      ? 'this private key is passphrase protected'
      : 'it is not a private key'
    throw new TsbuildError(`failed to parse ${name}: ${problem}`, {
      code: 'USAGE',
      hint: 'give a private key without a passphrase (ed25519, ecdsa or rsa), or the socket of an agent',
      cause,
    })
  }
}

class EncryptedKeyError extends Error {}

const ENCRYPTED = /^Proc-Type: 4,ENCRYPTED|BEGIN ENCRYPTED PRIVATE KEY/m
const OPENSSH =
  /-----BEGIN OPENSSH PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END OPENSSH PRIVATE KEY-----/
const MAGIC = 'openssh-key-v1\0'

/** Spec: PROTOCOL.key of OpenSSH */
function parseOpenSsh(text: string): Parsed | undefined {
  const base64 = OPENSSH.exec(text)?.[1]
  if (base64 === undefined) return undefined
  const reader = new WireReader(Buffer.from(base64, 'base64'))
  if (reader.take(MAGIC.length).toString('latin1') !== MAGIC) throw new Error('no magic')
  const cipher = reader.text()
  // The name and the options of the key derivation.
  reader.string()
  reader.string()
  if (cipher !== 'none') throw new EncryptedKeyError()
  if (reader.uint32() !== 1) throw new Error('more than one key')
  reader.string()
  const secret = new WireReader(reader.string())
  const check = secret.uint32()
  if (secret.uint32() !== check) throw new Error('damaged')
  const jwk = toJwk(secret)
  return { key: createPrivateKey({ key: jwk, format: 'jwk' }), comment: secret.text() }
}

function toJwk(secret: WireReader): JsonWebKey {
  const type = secret.text()
  if (type === 'ssh-ed25519') {
    const x = secret.string()
    return {
      kty: 'OKP',
      crv: 'Ed25519',
      x: base64url(x),
      d: base64url(secret.string().subarray(0, 32)),
    }
  }
  if (type === 'ssh-rsa') return rsaJwk(secret)
  const curve = CURVES.find(({ name }) => type === `ecdsa-sha2-${name}`)
  if (curve === undefined) throw new Error('a kind of key that is not supported')
  secret.string()
  const point = secret.string()
  const d = secret.integer()
  const { bytes, crv } = curve
  return {
    ...{ kty: 'EC', crv, d: base64url(Buffer.concat([Buffer.alloc(bytes - d.length), d])) },
    x: base64url(point.subarray(1, 1 + bytes)),
    y: base64url(point.subarray(1 + bytes)),
  }
}

function rsaJwk(secret: WireReader): JsonWebKey {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => secret.integer()) as [
    ...[Buffer, Buffer, Buffer, Buffer, Buffer, Buffer],
  ]
  const exponent = (prime: Buffer): string => {
    const hex = (toBigInt(d) % (toBigInt(prime) - 1n)).toString(16)
    return base64url(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'))
  }
  const [dp, dq] = [exponent(p), exponent(q)]
  const parts = Object.entries({ n, e, d, qi, p, q }).map(([name, value]) => [
    name,
    base64url(value),
  ])
  return { kty: 'RSA', dp, dq, ...Object.fromEntries(parts) }
}

const CURVES = [
  { name: 'nistp256', crv: 'P-256', bytes: 32 },
  { name: 'nistp384', crv: 'P-384', bytes: 48 },
  { name: 'nistp521', crv: 'P-521', bytes: 66 },
] as const

function described({ key, comment }: Parsed): PrivateKey {
  const jwk = key.export({ format: 'jwk' })
  const part = (name: 'n' | 'e' | 'x' | 'y'): Buffer => Buffer.from(jwk[name] ?? '', 'base64url')
  if (jwk.kty === 'RSA') {
    const blob = [wireString('ssh-rsa'), wireInteger(part('e')), wireInteger(part('n'))]
    return { blob: Buffer.concat(blob), comment, key, kind: 'rsa' }
  }
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    const blob = [wireString('ssh-ed25519'), wireString(part('x'))]
    return { blob: Buffer.concat(blob), comment, key, kind: 'ed25519' }
  }
  const curve = CURVES.find(({ crv }) => crv === jwk.crv)
  if (curve === undefined) throw new Error('a kind of key that is not supported')
  const point = Buffer.concat([Buffer.from([4]), part('x'), part('y')])
  const { name } = curve
  const blob = [wireString(`ecdsa-sha2-${name}`), wireString(name), wireString(point)]
  return { blob: Buffer.concat(blob), comment, key, kind: name }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
}
