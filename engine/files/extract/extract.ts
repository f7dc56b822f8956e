import { Buffer } from 'node:buffer'
import { accessSync, constants } from 'node:fs'
import {
  DirectoryWriter,
  decompress,
  detectCompression,
  layerOwners,
  TarReader,
} from '#builder/layer'
import { type Ring, readRing } from '#builder/threads'
import { errnoOf, TsbuildError } from '#core'
import { type FoundPath, findInRoot, type PathTask } from '../root/container-path.ts'
import { RootTree, rootPlace } from '../root/root-tree.ts'
import { type ApplierOptions, ArchiveApplier } from './archive-applier.ts'
import { ownerOf } from './container-user.ts'

/** How an archive is unpacked into a container. */
export interface ExtractOptions {
  /** The root file system of the container must not be changed. */
  readonly isReadonlyRoot: boolean
  /** `USER[:GROUP]` of the container, to whom everything is to belong; absent: as the archive says. */
  readonly user?: string | undefined
  /** Default: `anything`. */
  readonly replacing?: ApplierOptions['replacing']
}

/** An archive that is unpacked into a directory of a container. */
export interface ExtractTask extends PathTask, ExtractOptions {
  /** The archive, packed in any way. */
  readonly ring: Ring
}

/**
 * Unpacks an archive into a directory of a container. After a failure some of its files are there.
 * @throws {TsbuildError} NOT_FOUND, USAGE when it is not a directory, PERMISSION_DENIED when nothing can be written
 *   there, LAYER_INVALID for an archive that is damaged, cut short or hostile, NO_SPACE, IO_FAILED, PEER_GONE, CANCELLED
 */
export async function extractArchiveInto(task: ExtractTask): Promise<void> {
  const writer = openWriter(task.root)
  using tree = new RootTree(task.root, writer.root)
  const found = findInRoot(tree, task, 'all')
  const directory = found.path
  checkDestination(tree, found, task)
  const { user, replacing = 'anything' } = task
  const owner = user === undefined || user === '' ? undefined : ownerOf(tree, user)
  const applier = new ArchiveApplier(tree, writer, { directory, owner, replacing })
  try {
    const reader = new TarReader(applier)
    const write = (bytes: Uint8Array): void =>
      asArchiveError(() =>
        reader.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
      )
    await unpack(task.ring, write)
    asArchiveError(() => reader.end())
    applier.finish()
  } catch (cause) {
    applier.abandon()
    throw cause
  }
}

/** Bytes that are not packed are written from where they lie: copies would take as long as the files themselves. */
async function unpack(ring: Ring, write: (bytes: Uint8Array) => void): Promise<void> {
  const pieces = readRing(ring)
  const { value: first } = pieces.next()
  if (first === undefined) return
  if (detectCompression(first) === 'none') {
    write(first)
    for (const piece of pieces) write(piece)
  } else {
    for await (const bytes of decompress(copies(first, pieces), 'detect', { name: 'archive' })) {
      write(bytes)
    }
  }
}

async function* copies(first: Uint8Array, rest: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(first)
  for (const piece of rest) yield Buffer.from(piece)
}

/** What the rights of this process do not suffice for is left out. */
function openWriter(root: number): DirectoryWriter {
  return new DirectoryWriter(rootPlace(root), {
    owners: layerOwners() === 'keep' ? 'keep' : 'drop',
    isBare: true,
    onWarning: () => undefined,
  })
}

function checkDestination(
  tree: RootTree,
  { path, stat }: FoundPath,
  { isReadonlyRoot }: ExtractOptions,
): void {
  if (stat.type !== 'directory') {
    throw new TsbuildError('extraction point is not a directory', { code: 'USAGE' })
  }
  const isOnRoot = !tree.isElsewhere(path)
  if (isOnRoot && isReadonlyRoot) throw readonlyError('container rootfs')
  try {
    accessSync(`${tree.directory.inside(path)}/.`, constants.W_OK)
  } catch (cause) {
    // Whether rights suffice is seen when something is written.
    if (errnoOf(cause) !== 'EROFS') return
    throw readonlyError(isOnRoot ? 'container rootfs' : 'mounted volume')
  }
}

function readonlyError(what: string): TsbuildError {
  return new TsbuildError(`${what} is marked read-only`, { code: 'PERMISSION_DENIED' })
}

/** Wraps the plain errors of the reader, which say what is wrong with the archive. */
function asArchiveError(read: () => void): void {
  try {
    read()
  } catch (cause) {
    if (cause instanceof TsbuildError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TsbuildError(`read archive: ${reason}`, { code: 'LAYER_INVALID', cause })
  }
}
