import { Buffer } from 'node:buffer'
import {
  asDiffId,
  type Bytes,
  type DiffId,
  Digester,
  type Name,
  type Tree,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import { DirectoryWriter } from '../overlay/directory-writer.ts'
import type { Owners } from '../overlay/owners-beside.ts'
import { stackTree } from '../stack/stack-tree.ts'
import { TarReader } from '../tar/tar-reader.ts'
import { EntryApplier } from './entry-applier.ts'

/** How files are made. */
interface ExtractOptions {
  /** Called for what could not be made, e.g. device files in a user namespace. */
  readonly onWarning?: (message: string) => void
  /** Default: `keep`. */
  readonly owners?: Owners
}

/** How a layer is applied. */
export interface ApplyOptions extends ExtractOptions {
  /**
   * The layers below, in overlay form, topmost first: there hard links, links on the way to an entry
   * and unnamed parents are looked up. Empty: there are none. Absent: not available yet, see
   * `AppliedLayer.dependsOnLowers`.
   */
  readonly lowers?: readonly string[]
}

/** What was unpacked. */
export interface AppliedLayer {
  /** Digest of all bytes of the tar, including those after its end. */
  readonly diffId: DiffId
  /** Bytes of the uncompressed tar. */
  readonly size: number
  /**
   * The result depends on the layers below (an unnamed parent's mode, a file that was hard linked) and
   * is valid for these only. When `lowers` was absent, the directory is incomplete, and the layer must
   * be applied again with them.
   */
  readonly dependsOnLowers: boolean
}

/**
 * Applies a layer to an empty or new directory, in overlay form: deletions become devices 0/0 and
 * opaque marks. Links are followed as in a root file system, never out of the directory. A later entry
 * of the same name wins; whiteouts never apply to the layer itself. After a failure the directory is
 * incomplete, and the caller removes it.
 * Spec: image-spec v1.1 layer.md#applying-changesets
 * @throws {TsbuildError} LAYER_INVALID, IO_FAILED, NO_SPACE, PERMISSION_DENIED, CANCELLED
 */
export async function applyLayer(
  tar: Bytes,
  directory: string,
  options: ApplyOptions = {},
): Promise<AppliedLayer> {
  const lower = options.lowers === undefined ? undefined : stackTree(options.lowers)
  try {
    return await apply(tar, directory, { ...options, lower, isLayer: true })
  } finally {
    lower?.close()
  }
}

/** How an archive is unpacked. */
export interface ArchiveOptions extends ExtractOptions {
  /** Called for each directory that is an entry, not for parents that had to be made. */
  readonly onDirectory?: ((path: Name) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Unpacks an archive into an empty or new directory as plain files: names like `.wh.x` have no meaning.
 * An entry for the root itself is ignored. Otherwise as `applyLayer`.
 * @throws {TsbuildError} as `applyLayer`
 */
export function extractArchive(
  tar: Bytes,
  directory: string,
  options: ArchiveOptions = {},
): Promise<AppliedLayer> {
  return apply(tar, directory, { ...options, lower: stackTree([]), isLayer: false })
}

interface Job extends ArchiveOptions {
  readonly lower: Tree | undefined
  readonly isLayer: boolean
}

async function apply(tar: Bytes, directory: string, job: Job): Promise<AppliedLayer> {
  const { onWarning = () => {}, onDirectory = () => {}, owners = 'keep', signal } = job
  const writer = new DirectoryWriter(directory, { owners, onWarning })
  const applier = new EntryApplier(writer, job.lower, { isLayer: job.isLayer, onDirectory })
  try {
    const reader = new TarReader(applier)
    const digester = new Digester()
    for await (const chunk of tar) {
      throwIfCancelled(signal, 'unpack')
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      digester.update(bytes)
      asLayerError(() => reader.write(bytes))
    }
    asLayerError(() => reader.end())
    applier.finish()
    const { dependsOnLowers } = applier
    return { diffId: asDiffId(digester.digest()), size: digester.size, dependsOnLowers }
  } finally {
    applier.close()
    writer.close()
  }
}

/** Wraps the plain errors of the reader, which say what is wrong with the tar. */
function asLayerError(read: () => void): void {
  try {
    read()
  } catch (cause) {
    if (cause instanceof TsbuildError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TsbuildError(`read tar: ${reason}`, {
      code: 'LAYER_INVALID',
      cause,
      hint: 'the layer or archive is damaged, or not a tar of a kind that tsbuild reads',
    })
  }
}
