import { closeSync, mkdirSync, readSync } from 'node:fs'
import { directoryTree } from '#builder/context'
import {
  type ArchiveCompression,
  decompress,
  detectCompression,
  extractArchive,
} from '#builder/layer'
import { type Bytes, type Name, type Tree, TsbuildError } from '#core'
import { namedDirectories } from './archive-directories.ts'
import { shown } from './paths.ts'
import type { Selected } from './select.ts'

const BLOCK = 512
const CHUNK = 1 << 16
const CHECKSUM_AT = 148
const CHECKSUM_END = 156
const SPACE = 0x20

/** An archive as files in a temporary folder. */
export interface UnpackedArchive {
  readonly tree: Tree
  /** The directories that the archive itself names; the others had to be made. */
  readonly directories: ReadonlySet<Name>
}

export interface UnpackOptions {
  /** Is made. The caller removes it. */
  readonly directory: string
  readonly onWarning?: ((message: string) => void) | undefined
}

/**
 * How the archive in a selected file is packed; `undefined` when it is none. The content decides,
 * never the name: a tar header can be read at its start.
 */
export async function detectArchive(selected: Selected): Promise<ArchiveCompression | undefined> {
  if (selected.stat.type !== 'file' || selected.stat.size === 0) return undefined
  const start = await firstBlock(read(selected))
  const compression = detectCompression(start.subarray(0, 6))
  if (compression === 'none') return isTarHeader(start) ? 'none' : undefined
  const unpacked = await firstBlockOf(selected, compression)
  return isTarHeader(unpacked) ? compression : undefined
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
    const bytes = namedDirectories(decompress(read(selected), compression), directories)
    await extractArchive(bytes, directory, onWarning === undefined ? {} : { onWarning })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TsbuildError(`unpack ${JSON.stringify(shown(selected.path))}: ${reason}`, {
      code: cause instanceof TsbuildError ? cause.code : 'LAYER_INVALID',
      cause,
      hint: 'use COPY, or ADD --unpack=false, to add the archive as a file',
    })
  }
  return { tree: directoryTree(directory, { owner: 'kept' }), directories }
}

/** Nothing when the file only looks compressed: then it is copied as it is. */
async function firstBlockOf(selected: Selected, compression: ArchiveCompression): Promise<Buffer> {
  try {
    return await firstBlock(decompress(read(selected), compression))
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'LAYER_INVALID') return Buffer.alloc(0)
    throw cause
  }
}

async function firstBlock(bytes: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= BLOCK) break
  }
  return Buffer.concat(chunks).subarray(0, BLOCK)
}

/** A block whose checksum is right. Spec: POSIX.1-2024 pax, ustar interchange format, chksum */
function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK || block.every((byte) => byte === 0)) return false
  const written = block.toString('latin1', CHECKSUM_AT, CHECKSUM_END)
  const sum = block.reduce((total, byte, index) => {
    const isChecksum = index >= CHECKSUM_AT && index < CHECKSUM_END
    return total + (isChecksum ? SPACE : byte)
  }, 0)
  return Number.parseInt(written.trim(), 8) === sum
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
