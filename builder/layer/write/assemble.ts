import { closeSync, openSync, readSync } from 'node:fs'
import type { Ring } from '#builder/threads'
import { checkpoint } from '#core'
import type { CopyBuffer } from '../content/copy-buffer.ts'
import { CheckedTar, damageError } from '../contents/checked-tar.ts'
import { addChunks } from '../contents/contents-writer.ts'
import { ChunkNotes } from '../contents/tar-chunks.ts'
import { TarContents } from '../contents/tar-contents.ts'
import { TarWriter } from '../tar/tar-writer.ts'
import type { WrittenLayer } from './layer-sinks.ts'
import type { TarRecipe } from './tar-recipe.ts'

/** An earlier layer of the same step. */
export interface PreviousFiles {
  /** What `ContentsWriter` has noted of its tar. */
  readonly contents: string
  readonly tar: string
}

/** What a tar is put together of, and where it goes. */
export interface Assembly {
  readonly recipe: TarRecipe
  readonly previous: PreviousFiles
  /** As `rewriteLayer` has written them. */
  readonly pieces: string
  /** A file to create; `undefined`: only the reader gets the tar, or its digest is taken. */
  readonly tar: string | undefined
  /** As `rewriteLayer` has begun it, to be completed. */
  readonly contents: string | undefined
  /** As in `LayerSinks`. */
  readonly reader: Ring | undefined
}

/**
 * Puts a tar together of an earlier one and of what that has not.
 * @throws {TsbuildError} DIGEST_MISMATCH when the earlier tar is not what was written, IO_FAILED, NO_SPACE,
 *   PEER_GONE when the reader of the ring ended, CANCELLED
 */
export function assembleTar({ recipe, previous, contents, ...files }: Assembly): WrittenLayer {
  using noted = TarContents.open(previous.contents)
  if (noted === undefined) throw damageError(previous.contents)
  using earlier = new CheckedTar(previous.tar, noted.chunks)
  using pieces = new Pieces(files.pieces)
  const { entries } = recipe
  const chunks = contents === undefined || entries === undefined ? undefined : new ChunkNotes()
  const tar = new TarWriter(files.tar, { reader: files.reader, chunks })
  try {
    for (const part of recipe.parts) {
      const source = part.from === 'earlier' ? earlier : pieces
      source.copy(part, tar)
    }
    const written = tar.finish()
    if (contents === undefined || entries === undefined || chunks === undefined) return written
    return addChunks(contents, entries, chunks) ? { ...written, hasContents: true } : written
  } finally {
    tar.close()
  }
}

/** A file of this process alone. */
class Pieces implements Disposable {
  readonly #fd: number
  readonly #path: string

  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(path, 'r')
  }

  copy(
    { position, size }: { readonly position: number; readonly size: number },
    to: CopyBuffer,
  ): void {
    for (let at = position; at < position + size; ) {
      checkpoint()
      if (to.used === to.buffer.length) to.flush()
      const wanted = Math.min(position + size - at, to.buffer.length - to.used)
      const got = readSync(this.#fd, to.buffer, to.used, wanted, at)
      if (got === 0) throw damageError(this.#path)
      to.used += got
      at += got
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}
