import { BARE_DIRECTORY } from '#builder/linux'
import type { Ring } from '#builder/threads'
import type { DiffId, Digest, Name } from '#core'
import { ContentsWriter } from '../contents/contents-writer.ts'
import { ChunkNotes } from '../contents/tar-chunks.ts'
import { DirectoryWriter } from '../overlay/directory-writer.ts'
import type { Owners } from '../overlay/owners-beside.ts'
import { TarWriter } from '../tar/tar-writer.ts'

/** Where a layer is written to. */
export interface LayerSinks {
  /** A tar file to create (it must not exist), or an open descriptor to write to. */
  readonly tar?: string | number
  /**
   * With `tar`: gets the same bytes, so that another thread can make a directory of them at the same
   * time. That thread takes the digest, too.
   */
  readonly reader?: Ring
  /** With `tar`: a file to create, in which is noted what is where in it. See `ContentsWriter`. */
  readonly contents?: string
  /** An overlay-form directory to fill: empty, or new in an existing directory. */
  readonly directory?: string
}

/** How a layer is written. */
export interface WriteOptions {
  /** Gets the sha256 of each regular file's content; not called for hard links. */
  readonly onFile?: (path: Name, digest: Digest) => void
  /** Called for what could not be made, e.g. device files in a user namespace. */
  readonly onWarning?: (message: string) => void
  /** Owners of the files in a directory; a tar has them all. Default: `keep`. */
  readonly owners?: Owners
}

/** What was written. */
export interface WrittenLayer {
  /** Of the tar; absent when none was written, or a reader takes it. */
  readonly diffId?: DiffId
  /** Bytes of the tar; absent when none was written. */
  readonly size?: number
  /** The contents are worth being kept. */
  readonly hasContents?: boolean
}

/** Sinks that are open until they are disposed of. */
export interface OpenSinks extends Disposable {
  readonly tar: TarWriter | undefined
  readonly directory: DirectoryWriter | undefined
  readonly contents: ContentsWriter | undefined
  /** Of the tar, where contents are noted. */
  readonly chunks: ChunkNotes | undefined
}

/** Opens what a layer is written to. */
export function openSinks(sinks: LayerSinks, options: WriteOptions): OpenSinks {
  const opened: { close(): void }[] = []
  const keep = <T extends { close(): void }>(one: T): T => {
    opened.push(one)
    return one
  }
  const dispose = (): void => {
    for (const one of opened.splice(0).reverse()) one.close()
  }
  const { reader, contents: path, tar: target, directory: folder } = sinks
  try {
    const contents = path === undefined ? undefined : keep(new ContentsWriter(path))
    const chunks = contents && new ChunkNotes()
    const readers = { reader, contents, chunks }
    const tar = target === undefined ? undefined : keep(new TarWriter(target, readers))
    const directory = folder === undefined ? undefined : keep(layerDirectory(folder, options))
    return { tar, directory, contents, chunks, [Symbol.dispose]: dispose }
  } catch (cause) {
    dispose()
    throw cause
  }
}

function layerDirectory(path: string, options: WriteOptions): DirectoryWriter {
  const { onWarning = () => {}, owners = 'keep' } = options
  const directory = new DirectoryWriter(path, { owners, onWarning })
  directory.makeDirectory('' as Name, { stat: BARE_DIRECTORY })
  return directory
}
