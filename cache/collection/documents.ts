import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { asDiffId, errnoOf, isDigest, isJsonObject, type Json, MAX_DOCUMENT_BYTES } from '#core'
import { readLimited } from '#disk'
import { readTrailer } from '../blobs/parted-blob.ts'
import type { Layout } from '../filesystem/layout.ts'
import { stackLayerId } from '../records/layer-id.ts'

/** What a blob that is a document says, or one that is kept in parts: it leads to the one that it has parts of. */
export interface BlobDocument {
  readonly kind: 'index' | 'manifest' | 'config' | 'parts'
  /** Of a config: ids of the layers whose folders fit nothing but the image's stack. */
  readonly stacks: readonly string[]
  /** Everything in an index or a manifest that looks like a digest: more is kept rather than less. */
  readonly leadsTo: readonly string[]
}

const DIGEST = /^[a-z0-9+._-]+:[0-9a-f]{32,128}$/
const DIGESTS = /"([a-z0-9+._-]+:[0-9a-f]{32,128})"/g
const BRACE = 0x7b

/**
 * The blobs of a store as documents. Read without the care that a build takes: what other tools have written
 * is kept, too, and a document that nothing else can read still leads to its blobs.
 */
export class Documents {
  readonly #blobs: string
  readonly #parts: string
  /** By digest: what a blob holds does not change. */
  readonly #known = new Map<string, BlobDocument | undefined>()

  constructor(layout: Layout) {
    this.#blobs = join(layout.blobs, '..')
    this.#parts = layout.parts
  }

  /** `undefined` for what is not there, and for what is no document. */
  get(digest: string): BlobDocument | undefined {
    if (this.#known.has(digest)) return this.#known.get(digest)
    if (!DIGEST.test(digest)) return undefined
    const bytes = this.#read(digest)
    // Not kept: it may become one file.
    if (bytes === undefined) return this.#readParts(digest)
    const document = documentIn(bytes)
    this.#known.set(digest, document)
    return document
  }

  /** A digest and all that it leads to, over any number of documents. */
  reachable(roots: Iterable<string>): ReadonlySet<string> {
    const found = new Set<string>(roots)
    // What is added while this runs is visited, too.
    for (const digest of found) {
      for (const next of this.get(digest)?.leadsTo ?? []) found.add(next)
    }
    return found
  }

  #readParts(digest: string): BlobDocument | undefined {
    const trailer = readTrailer(join(this.#parts, hexIn(digest)))
    if (trailer === undefined || trailer === 'damaged') return undefined
    return { kind: 'parts', leadsTo: [trailer.earlier], stacks: [] }
  }

  /** `undefined` for what cannot be read; nothing of what is certainly no document. */
  #read(digest: string): Buffer | undefined {
    const [algorithm = '', hex = ''] = digest.split(':')
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
      const descriptor = openSync(join(this.#blobs, algorithm, hex), flags)
      try {
        const first = Buffer.alloc(1)
        readSync(descriptor, first, 0, 1, 0)
        if (first[0] !== BRACE) return first
        return readLimited(descriptor, MAX_DOCUMENT_BYTES) ?? first
      } finally {
        closeSync(descriptor)
      }
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause
      return undefined
    }
  }
}

/** The hex digits of a digest of any algorithm: the name of its blob. */
export function hexIn(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1)
}

function documentIn(bytes: Buffer): BlobDocument | undefined {
  const text = bytes.toString()
  const value = parseJson(text)
  const kind = kindOf(value)
  if (kind === undefined) return undefined
  // What a config says of layers, its manifest says, too.
  if (kind === 'config') return { kind, leadsTo: [], stacks: stacksIn(value) }
  const leadsTo = Array.from(text.matchAll(DIGESTS), ([, one = '']) => one)
  return { kind, leadsTo: [...new Set(leadsTo)], stacks: [] }
}

function stacksIn(config: Json | undefined): readonly string[] {
  const rootfs = isJsonObject(config) ? config.rootfs : undefined
  const diffIds = isJsonObject(rootfs) ? rootfs.diff_ids : undefined
  if (!Array.isArray(diffIds)) return []
  const known = diffIds.filter((one): one is string => typeof one === 'string').filter(isDigest)
  return known.map((_, index) => stackLayerId(known.slice(0, index + 1).map(asDiffId)))
}

function kindOf(value: Json | undefined): BlobDocument['kind'] | undefined {
  if (!isJsonObject(value)) return undefined
  if ('manifests' in value) return 'index'
  if ('layers' in value) return 'manifest'
  if ('rootfs' in value) return 'config'
  return 'config' in value ? 'manifest' : undefined
}

/** The value of a text of any origin; `undefined` when it is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}
