import { Buffer } from 'node:buffer'
import { sign } from 'node:crypto'
import {
  type Agent,
  FAILURE,
  IDENTITIES_ANSWER,
  REQUEST_IDENTITIES,
  SIGN_REQUEST,
  SIGN_RESPONSE,
} from './messages.ts'
import type { PrivateKey } from './private-key.ts'
import { WireReader, wireInteger, wireString, wireUint32 } from './wire.ts'

/** An agent in this process that holds these keys. */
export function keyAgent(keys: readonly PrivateKey[]): Agent {
  return {
    ask: async (request) => answer(request, keys) ?? Buffer.from([FAILURE]),
    [Symbol.dispose]: () => undefined,
  }
}

function answer(request: Buffer, keys: readonly PrivateKey[]): Buffer | undefined {
  if (request[0] === REQUEST_IDENTITIES) {
    const entries = keys.flatMap(({ blob, comment }) => [wireString(blob), wireString(comment)])
    return Buffer.concat([Buffer.from([IDENTITIES_ANSWER]), wireUint32(keys.length), ...entries])
  }
  if (request[0] !== SIGN_REQUEST) return undefined
  const reader = new WireReader(request.subarray(1))
  const blob = reader.string()
  const data = reader.string()
  const flags = reader.uint32()
  const key = keys.find((candidate) => candidate.blob.equals(blob))
  if (key === undefined) return undefined
  const signature = wireString(signatureOf(key, data, flags))
  return Buffer.concat([Buffer.from([SIGN_RESPONSE]), signature])
}

const RSA_SHA2_256 = 2
const RSA_SHA2_512 = 4
const CURVE_HASHES = { nistp256: 'sha256', nistp384: 'sha384', nistp521: 'sha512' } as const

/** Spec: RFC 8709 section 6, RFC 8332 section 3, RFC 5656 section 3.1.2 */
function signatureOf({ kind, key }: PrivateKey, data: Buffer, flags: number): Buffer {
  if (kind === 'ed25519') {
    return Buffer.concat([wireString('ssh-ed25519'), wireString(sign(null, data, key))])
  }
  if (kind === 'rsa') {
    const [name, hash] = rsaAlgorithm(flags)
    return Buffer.concat([wireString(name), wireString(sign(hash, data, key))])
  }
  const pair = sign(CURVE_HASHES[kind], data, { key, dsaEncoding: 'ieee-p1363' })
  const half = pair.length / 2
  const numbers = [wireInteger(pair.subarray(0, half)), wireInteger(pair.subarray(half))]
  return Buffer.concat([wireString(`ecdsa-sha2-${kind}`), wireString(Buffer.concat(numbers))])
}

function rsaAlgorithm(flags: number): readonly [name: string, hash: string] {
  if (flags & RSA_SHA2_512) return ['rsa-sha2-512', 'sha512']
  if (flags & RSA_SHA2_256) return ['rsa-sha2-256', 'sha256']
  return ['ssh-rsa', 'sha1']
}
