import type { Change, DiffId } from '#core'
import { DirectoryWriter } from '../overlay/directory-writer.ts'
import { type LayerSinks, openSinks, type WriteOptions, type WrittenLayer } from './layer-sinks.ts'
import { LayerWriter } from './layer-writer.ts'

/**
 * Writes changes as a layer, in one pass: every file is read once. Equal changes give an equal tar.
 * Nothing is synced to disk. After a failure the result is incomplete, and the caller removes it.
 * @throws {TsbuildError} LAYER_INVALID for a name that a tar layer cannot hold, IO_FAILED naming the
 *   file, also when it changed while it was read, NO_SPACE, PERMISSION_DENIED, PEER_GONE when the
 *   reader of the ring ended, CANCELLED
 */
export function writeLayer(
  changes: Iterable<Change>,
  sinks: LayerSinks,
  options: WriteOptions = {},
): WrittenLayer {
  using open = openSinks(sinks, options)
  const { tar, directory, contents, chunks } = open
  const writer = new LayerWriter({ tar, directory, onFile: options.onFile })
  for (const change of changes) writer.write(change)
  directory?.finish()
  const written = tar?.finish() ?? {}
  const hasContents = chunks !== undefined && contents?.finish(chunks) === true
  return hasContents ? { ...written, hasContents } : written
}

/** A tar that was written. */
export interface WrittenTar {
  readonly diffId: DiffId
  /** Bytes. */
  readonly size: number
}

/** Writes changes as a tar alone, as `writeLayer`. @param tar a file to create, or a descriptor to write to */
export function writeTar(changes: Iterable<Change>, tar: string | number): WrittenTar {
  const { diffId, size } = writeLayer(changes, { tar })
  if (diffId === undefined || size === undefined) throw new Error('no tar was written')
  return { diffId, size }
}

/**
 * Writes changes as files into a directory, which is made when missing. Files of other names stay there;
 * whiteouts and opaque marks are ignored. An entry without a name has the attributes of the directory.
 * Nothing is kept beside it: devices and capabilities that this process cannot make are left out.
 * @param options `owners` is `drop` by default: the files belong to the current user
 * @throws {TsbuildError} as `writeLayer`
 */
export function writeFiles(
  changes: Iterable<Change>,
  directory: string,
  options: Pick<WriteOptions, 'owners' | 'onWarning'> = {},
): void {
  const { owners = 'drop', onWarning = () => {} } = options
  const files = new DirectoryWriter(directory, { owners, isBare: true, onWarning })
  try {
    const writer = new LayerWriter({ tar: undefined, directory: files, onFile: undefined })
    for (const change of changes) if (change.kind === 'entry') writer.write(change)
    files.finish()
  } finally {
    files.close()
  }
}
