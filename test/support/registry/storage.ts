import { type Descriptor, type Digest, Digester, digestOf } from '#core'

export interface StoredManifest {
  readonly mediaType: string
  readonly bytes: Buffer
}

interface StoredRepository {
  readonly blobs: Set<string>
  readonly manifests: Map<string, StoredManifest>
  readonly tags: Map<string, Digest>
}

export interface UploadSession {
  readonly repository: string
  readonly seen: Digester
  readonly chunks: Buffer[]
}

interface StorageOptions {
  readonly keepsBytes: boolean
  readonly listsReferrers: boolean
  readonly smallestPart: number | undefined
}

/** What a registry keeps, by repository. */
export class Storage {
  readonly #keepsBytes: boolean
  readonly #blobs = new Map<string, { readonly size: number; readonly bytes: Buffer }>()
  readonly #repositories = new Map<string, StoredRepository>()
  readonly #uploads = new Map<string, UploadSession>()
  #lastUpload = 0

  readonly listsReferrers: boolean
  readonly smallestPart: number | undefined

  /** With `keepsBytes` false the content of uploaded blobs is only hashed. */
  constructor(options: StorageOptions) {
    this.#keepsBytes = options.keepsBytes
    this.listsReferrers = options.listsReferrers
    this.smallestPart = options.smallestPart
  }

  get openUploads(): number {
    return this.#uploads.size
  }

  repository(name: string): StoredRepository {
    const known = this.#repositories.get(name)
    if (known !== undefined) return known
    const created: StoredRepository = { blobs: new Set(), manifests: new Map(), tags: new Map() }
    this.#repositories.set(name, created)
    return created
  }

  putBlob(name: string, bytes: Buffer, mediaType: string): Descriptor {
    const digest = digestOf(bytes)
    this.#blobs.set(digest, { size: bytes.length, bytes })
    this.repository(name).blobs.add(digest)
    return { mediaType, digest, size: bytes.length }
  }

  blob(name: string, digest: string): { size: number; bytes: Buffer } | undefined {
    return this.repository(name).blobs.has(digest) ? this.#blobs.get(digest) : undefined
  }

  mountBlob(name: string, digest: string, from: string): boolean {
    const isThere = this.blob(from, digest) !== undefined
    if (isThere) this.repository(name).blobs.add(digest)
    return isThere
  }

  putManifest(name: string, reference: string, manifest: StoredManifest): Digest {
    const { manifests, tags } = this.repository(name)
    const digest = digestOf(manifest.bytes)
    manifests.set(digest, manifest)
    if (!reference.includes(':')) tags.set(reference, digest)
    return digest
  }

  manifest(name: string, reference: string): StoredManifest | undefined {
    const { manifests, tags } = this.repository(name)
    return manifests.get(tags.get(reference) ?? reference)
  }

  startUpload(repository: string): string {
    const id = String(++this.#lastUpload)
    this.#uploads.set(id, { repository, seen: new Digester(), chunks: [] })
    return id
  }

  upload(id: string): UploadSession | undefined {
    return this.#uploads.get(id)
  }

  append(session: UploadSession, chunk: Buffer): void {
    session.seen.update(chunk)
    if (this.#keepsBytes) session.chunks.push(chunk)
  }

  endUpload(id: string): void {
    this.#uploads.delete(id)
  }

  /** False when the digest is another one; the session is over in any case. */
  commit(id: string, digest: string): boolean {
    const session = this.#uploads.get(id)
    this.#uploads.delete(id)
    if (session === undefined || session.seen.digest() !== digest) return false
    this.#blobs.set(digest, { size: session.seen.size, bytes: Buffer.concat(session.chunks) })
    this.repository(session.repository).blobs.add(digest)
    return true
  }
}
