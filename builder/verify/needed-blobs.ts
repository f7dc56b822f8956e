/** What the names of a store lead to: manifests, configs and layers, read without trusting any of them. */
import { lstatSync, readFileSync } from 'node:fs'
import { elsewhereOf, type Finding, type Store } from '#cache'
import {
  compressionOf,
  type Descriptor,
  type DiffId,
  type Digest,
  digestOf,
  errnoOf,
  isIndexType,
  isManifestType,
  MAX_DOCUMENT_BYTES,
  parseImageConfig,
  parseManifestOrIndex,
  TsbuildError,
} from '#core'

/** A blob without which images are not complete. */
export interface NeededBlob {
  readonly descriptor: Descriptor
  readonly names: Set<string>
  /** The layers that configs of images say it holds: more than one only if they contradict each other. */
  readonly diffIds: Set<DiffId>
}

/** Blobs that names lead to, and what is wrong with the documents on the way. */
export class NeededBlobs {
  readonly #store: Store
  readonly #blobs = new Map<Digest, NeededBlob>()
  readonly #targets = new Map<string, Digest>()
  /** Layers that the store need not have, since a repository has them. */
  readonly elsewhere: Set<Digest> = new Set()
  readonly findings: Finding[] = []

  constructor(store: Store) {
    this.#store = store
    for (const { name, descriptor } of store.images.list()) {
      this.#targets.set(name, descriptor.digest)
      this.#visit(descriptor, name)
    }
  }

  /** False when the names that led to a blob are gone by now, or lead elsewhere. */
  isStillNeeded({ names }: NeededBlob): boolean {
    return this.#store.images
      .list()
      .some(
        ({ name, descriptor }) => names.has(name) && this.#targets.get(name) === descriptor.digest,
      )
  }

  get(digest: Digest): NeededBlob | undefined {
    return this.#blobs.get(digest)
  }

  *[Symbol.iterator](): Generator<NeededBlob> {
    yield* this.#blobs.values()
  }

  /** A document that is missing or damaged leads nowhere: it is found as a blob. */
  #visit(descriptor: Descriptor, name: string): void {
    if (!this.#add(descriptor, name)) return
    const { mediaType } = descriptor
    if (!isIndexType(mediaType) && !isManifestType(mediaType)) return
    const bytes = readWhole(this.#store.blobs.path(descriptor.digest), descriptor)
    if (bytes === undefined) return
    this.#reading(`manifest ${descriptor.digest}`, name, () => {
      const document = parseManifestOrIndex(bytes, mediaType)
      if (document.kind === 'index') {
        for (const manifest of document.index.manifests) this.#visit(manifest, name)
        return
      }
      const { config, layers } = document.manifest
      this.#add(config, name)
      for (const layer of layers) {
        if (elsewhereOf(layer) === undefined) this.#add(layer, name)
        else this.elsewhere.add(layer.digest)
      }
      this.#addDiffIds(config, layers, name)
    })
  }

  /** @returns whether the name has come here for the first time */
  #add(descriptor: Descriptor, name: string): boolean {
    const { digest } = descriptor
    const blob = this.#blobs.get(digest) ?? { descriptor, names: new Set(), diffIds: new Set() }
    this.#blobs.set(digest, blob)
    const isNew = !blob.names.has(name)
    blob.names.add(name)
    return isNew
  }

  #addDiffIds(config: Descriptor, layers: readonly Descriptor[], name: string): void {
    // An artifact has another kind of config, and its layers are none.
    if (!layers.some(({ mediaType }) => compressionOf(mediaType) !== undefined)) return
    const bytes = readWhole(this.#store.blobs.path(config.digest), config)
    if (bytes === undefined) return
    this.#reading(`config ${config.digest}`, name, () => {
      const { diffIds } = parseImageConfig(bytes)
      for (const [index, { digest }] of layers.entries()) {
        const diffId = diffIds[index]
        if (diffId !== undefined) this.#blobs.get(digest)?.diffIds.add(diffId)
      }
    })
  }

  #reading(subject: string, name: string, read: () => void): void {
    try {
      read()
    } catch (cause) {
      if (!(cause instanceof TsbuildError)) throw cause
      const problem = `says nothing that can be used (${cause.message}), so ${name} is no image`
      const remedy = `keeps the name: build it again, or remove it with tsbuild rmi ${name}`
      this.findings.push({ severity: 'damage', subject, problem, remedy })
    }
  }
}

/** A document, if the file is what it is named after. */
function readWhole(path: string, { digest, size }: Descriptor): Buffer | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found?.isFile() || found.size !== size || size > MAX_DOCUMENT_BYTES) return undefined
  try {
    const bytes = readFileSync(path)
    return digestOf(bytes) === digest ? bytes : undefined
  } catch (cause) {
    // Removed meanwhile, or not to be read: then it is found as a blob, if it is needed still.
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
