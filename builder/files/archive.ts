import { closeSync, mkdirSync, readSync } from 'node:fs'
import {
  type ArchiveCompression,
  decompress,
  detectCompression,
  extractArchive,
  isArchive,
  layerOwners,
  rawTree,
} from '#builder/layer'
import { type Name, type Tree, TsbuildError } from '#core'
import { shown } from './paths.ts'
import type { Selected } from './select.ts'

const CHUNK = 1 << 16
/** Bytes at the start of a file that tell how it is packed. */
const MAGIC = 6

/** An archive as files in a temporary folder. */
export interface UnpackedArchive {
  readonly tree: Tree
  /** The directories that the archive itself names; the others had to be made. */
  readonly directories: ReadonlySet<Name>
}

/** Where an archive is unpacked, and who hears of what is odd in it. */
export interface UnpackOptions {
  /** Is made. The caller removes it. */
  readonly directory: string
  readonly onWarning?: ((message: string) => void) | undefined
}

/**
 * How the archive in a selected file is packed; `undefined` when it is none. The content decides,
 * never the name: a first entry can be read.
 */
export async function detectArchive(selected: Selected): Promise<ArchiveCompression | undefined> {
  if (selected.stat.type !== 'file' || selected.stat.size === 0) return undefined
  const compression = detectCompression(await startOf(selected))
  const tar = compression === 'none' ? read(selected) : decompress(read(selected), compression)
  return (await isArchive(tar)) ? compression : undefined
}

/** The caller closes the tree. @throws {TsbuildError} LAYER_INVALID for a damaged archive */
export async function unpackArchive(
  selected: Selected,
  compression: ArchiveCompression,
  { directory, onWarning }: UnpackOptions,
): Promise<UnpackedArchive> {
  mkdirSync(directory)
  const directories = new Set<Name>()
  try {
    const onDirectory = (path: Name) => directories.add(path)
    const options = {
      onDirectory,
      owners: layerOwners(),
      ...(onWarning === undefined ? {} : { onWarning }),
    } as const
    await extractArchive(decompress(read(selected), compression), directory, options)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TsbuildError(`unpack ${JSON.stringify(shown(selected.path))}: ${reason}`, {
      code: cause instanceof TsbuildError ? cause.code : 'LAYER_INVALID',
      cause,
      hint: 'use COPY, or ADD --unpack=false, to add the archive as a file',
    })
  }
  return { tree: rawTree(directory), directories }
}

async function startOf(selected: Selected): Promise<Uint8Array> {
  for await (const chunk of read(selected)) return chunk.subarray(0, MAGIC)
  return new Uint8Array()
}

async function* read({ tree, path }: Selected): AsyncGenerator<Uint8Array, void, undefined> {
  const descriptor = tree.openFile(path)
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafeSlow(CHUNK)
      const length = readSync(descriptor, chunk, 0, CHUNK, null)
      if (length === 0) return
      yield chunk.subarray(0, length)
    }
  } finally {
    closeSync(descriptor)
  }
}
