import { sha256 } from '@noble/hashes/sha2.js'
import { TsbuildError } from '../errors.ts'

declare const digestBrand: unique symbol
declare const diffIdBrand: unique symbol
declare const chainIdBrand: unique symbol

/**
 * `sha256:` and 64 lowercase hex digits: the name of bytes as stored or sent.
 * Spec: image-spec v1.1 descriptor.md#digests
 */
export type Digest = string & { readonly [digestBrand]: true }

/** Digest of a layer's *uncompressed* tar. Never interchangeable with the digest of its blob. */
export type DiffId = string & { readonly [diffIdBrand]: true }

/** Identity of a stack of layers. Spec: image-spec v1.1 config.md#layer-chainid */
export type ChainId = string & { readonly [chainIdBrand]: true }

let loaded: typeof import('node:crypto') | undefined

/** Loaded where bytes are hashed: it takes long to load, and a parser has no use for it. */
function crypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto')
  return loaded
}

/** Up to here it takes less time in JavaScript than loading what is faster. */
const SMALL_BYTES = 32 * 1024

const SHA256 = /^sha256:[0-9a-f]{64}$/

/** True for the one digest form that tsbuild implements; anything else never reaches a path. */
export function isDigest(text: string): text is Digest {
  return text.length === 71 && SHA256.test(text)
}

/** @throws {TsbuildError} REFERENCE_INVALID when `text` is not a sha256 digest */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new TsbuildError(`invalid digest ${JSON.stringify(text.slice(0, 200))}`, {
    code: 'REFERENCE_INVALID',
    hint: 'a digest is sha256: and 64 lowercase hex digits',
  })
}

/** @throws {TsbuildError} REFERENCE_INVALID when `text` is not a sha256 digest */
export function parseDiffId(text: string): DiffId {
  return asDiffId(parseDigest(text))
}

/** The diffID of a layer whose blob is the uncompressed tar itself. */
export function asDiffId(digest: Digest): DiffId {
  return digest as string as DiffId
}

/** The blob digest of a layer kept as its uncompressed tar. */
export function uncompressedDigest(diffId: DiffId): Digest {
  return diffId as string as Digest
}

/** The 64 hex digits after `sha256:`. */
export function hexOf(digest: Digest | DiffId | ChainId): string {
  return digest.slice('sha256:'.length)
}

/** The first twelve digits, as lists show them. */
export function shortDigest(digest: Digest): string {
  return hexOf(digest).slice(0, 12)
}

/** Digest of a small document held in memory: a key, a manifest, a config. */
export function digestOf(document: Uint8Array | string): Digest {
  const bytes = typeof document === 'string' ? Buffer.from(document) : document
  // A tenth of the time, where the build has paid for it already.
  if (loaded !== undefined) return digestOfContent(bytes)
  return `sha256:${Buffer.from(sha256(bytes)).toString('hex')}` as Digest
}

/** How many bytes of contents are still digested in JavaScript. */
let smallBytes = SMALL_BYTES

/** Digest of the content of a file that is in memory as a whole; many at the speed of the machine. */
export function digestOfContent(bytes: Uint8Array): Digest {
  if (loaded === undefined && bytes.length <= smallBytes) {
    smallBytes -= bytes.length
    return digestOf(bytes)
  }
  return `sha256:${crypto().hash('sha256', bytes, 'hex')}` as Digest
}

/** Digests bytes as they pass, many of them at the speed of the machine; `digest()` ends it. */
export class Digester {
  #hash: import('node:crypto').Hash | undefined
  /** Copies of what came first. */
  #small: Uint8Array[] = []
  /** Bytes seen so far. */
  size = 0

  update(bytes: Uint8Array): void {
    this.size += bytes.length
    if (this.size > SMALL_BYTES) this.#large().update(bytes)
    else this.#small.push(Buffer.from(bytes))
  }

  digest(): Digest {
    if (this.#hash === undefined) return digestOf(Buffer.concat(this.#small))
    return `sha256:${this.#hash.digest('hex')}` as Digest
  }

  #large(): import('node:crypto').Hash {
    this.#hash ??= crypto().createHash('sha256').update(Buffer.concat(this.#small))
    this.#small = []
    return this.#hash
  }
}

/** Spec: image-spec v1.1 config.md#layer-chainid. `undefined` for an empty stack. */
export function chainIdOf(diffIds: readonly DiffId[]): ChainId | undefined {
  return chainIdsOf(diffIds).at(-1)
}

/** Of each layer of a stack, the lowest first. */
export function chainIdsOf(diffIds: readonly DiffId[]): readonly ChainId[] {
  let chain = ''
  return diffIds.map((diffId) => {
    chain = chain === '' ? diffId : digestOf(`${chain} ${diffId}`)
    return chain as ChainId
  })
}
