import { lstatSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PendingFile } from '#builder/linux'
import { layoutSource } from '#builder/plan'
import { lockFile } from '#cache'
import {
  type Bytes,
  type Descriptor,
  Digester,
  describeDocument,
  errnoOf,
  hexOf,
  ioError,
  MEDIA_TYPES,
  parseIndex,
  randomName,
  serializeIndex,
  TsbuildError,
  verified,
} from '#core'
import { makeFolders } from '#disk'
import type { CacheShelf } from './cache-shelf.ts'
import { collectLayout } from './collect-layout.ts'

/** Where a cache is in a folder, and how its name is written. */
export interface FolderLocation {
  readonly folder: string
  /** The name in `index.json`, or a digest to be read only. */
  readonly tag: string
}

const NAME = 'org.opencontainers.image.ref.name'

/**
 * A cache in a folder, which is an OCI image layout that may hold others beside it. Its writers take turns;
 * readers see what was there before or after one, never a part.
 */
export function folderShelf({ folder, tag }: FolderLocation): CacheShelf {
  const root = resolve(folder)
  const layout = layoutSource(root)
  const has = async ({ digest, size }: Descriptor): Promise<boolean> =>
    lstatSync(blobPath(root, digest), { throwIfNoEntry: false })?.size === size
  const writer = new LayoutWriter(root)
  return {
    name: `${folder}:${tag}`,
    origin: undefined,
    source: { open: (blob, options) => layout.open(blob, options), has },
    readIndex: () => layout.fetchManifest(tag),
    readManifest: (digest) => layout.fetchManifest(digest),
    mountBlob: async () => false,
    putBlob: async (blob, openBlob) => {
      if (!(await has(blob))) await writer.put(blob, verified(await openBlob(), blob))
    },
    streamBlob: async (mediaType, openBlob) => writer.stream(mediaType, await openBlob()),
    putManifest: async (document) => {
      const descriptor = describeDocument(document)
      if (!(await has(descriptor))) await writer.put(descriptor, inOnePiece(document.bytes))
      return descriptor
    },
    putIndex: async (document) => {
      const descriptor = describeDocument(document)
      await writer.put(descriptor, inOnePiece(document.bytes))
      writer.name(descriptor, tag)
      collectLayout(root)
    },
    writers: {
      kind: 'turns',
      lock: async () => {
        writer.prepare()
        return await lockFile(join(root, 'tsbuild.lock'))
      },
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Writes to a layout: each file under its name once it is whole and on the disk. */
class LayoutWriter {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  prepare(): void {
    try {
      makeFolders(join(this.#root, 'blobs/sha256'))
    } catch (cause) {
      throw ioError(`make ${this.#root}`, cause)
    }
    const marker = join(this.#root, 'oci-layout')
    if (lstatSync(marker, { throwIfNoEntry: false }) !== undefined) return
    this.#write(marker, Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  }

  async put({ digest }: Pick<Descriptor, 'digest'>, bytes: Bytes): Promise<void> {
    this.prepare()
    const path = blobPath(this.#root, digest)
    try {
      using file = new PendingFile(path)
      for await (const chunk of bytes) file.write(chunk)
      file.commit({ flush: true })
    } catch (cause) {
      throw ioError(`write ${path}`, cause)
    }
  }

  async stream(mediaType: string, bytes: Bytes): Promise<Descriptor> {
    this.prepare()
    const path = join(this.#root, 'blobs/sha256', `.upload.${randomName(16)}`)
    const digester = new Digester()
    try {
      await using file = await open(path, 'wx')
      for await (const chunk of bytes) {
        digester.update(chunk)
        await file.writeFile(chunk)
      }
      await file.sync()
      const descriptor = { mediaType, digest: digester.digest(), size: digester.size }
      renameSync(path, blobPath(this.#root, descriptor.digest))
      return descriptor
    } catch (cause) {
      rmSync(path, { force: true })
      throw ioError(`write ${path}`, cause)
    }
  }

  /** To be called while no one else writes. */
  name(index: Descriptor, tag: string): void {
    const path = join(this.#root, 'index.json')
    const others = this.#named(path).filter(({ annotations }) => annotations?.[NAME] !== tag)
    const manifests = [...others, { ...index, annotations: { [NAME]: tag } }]
    this.#write(path, serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests }))
  }

  #named(path: string): readonly Descriptor[] {
    try {
      return parseIndex(readFileSync(path)).manifests
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return []
      if (!(cause instanceof TsbuildError)) throw ioError(`read ${path}`, cause)
      // Nothing can be read of it; it is left for a person to look at.
      renameSync(path, `${path}.damaged`)
      return []
    }
  }

  #write(path: string, bytes: Uint8Array): void {
    try {
      using file = new PendingFile(path)
      file.write(bytes)
      file.commit({ flush: true })
    } catch (cause) {
      throw ioError(`write ${path}`, cause)
    }
  }
}

function blobPath(root: string, digest: Descriptor['digest']): string {
  return join(root, 'blobs/sha256', hexOf(digest))
}

async function* inOnePiece(bytes: Uint8Array): Bytes {
  yield bytes
}
