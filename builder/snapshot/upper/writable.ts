import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  renameSync,
} from 'node:fs'
import { ioError, type WritablePart } from '#core'
import { makeFolders, removeTree } from '#disk'
import { notKeptError } from './unavailable.ts'
import { copyXattrs } from './xattrs.ts'

/**
 * Makes `directory` (absolute, must not exist) with the empty upper and work directories of a new
 * overlay. `/` of the union is the upper directory itself, so it gets owner, mode, times and
 * attributes of the topmost layer's root. Others cannot reach into it from the host.
 * @param lower overlay directories, topmost first, as in `OverlayMount`
 * @throws {TsbuildError} IO_FAILED, NO_SPACE, PERMISSION_DENIED
 */
export function createWritable(directory: string, lower: readonly string[]): WritablePart {
  const part = { upper: `${directory}/upper`, work: `${directory}/work` }
  try {
    mkdirSync(directory, { mode: 0o700 })
    mkdirSync(part.work, { mode: 0o700 })
    mkdirSync(part.upper, { mode: 0o755 })
    const top = lower[0]
    if (top === undefined) chmodSync(part.upper, 0o755)
    else copyAttributes(top, part.upper)
    return part
  } catch (cause) {
    throw ioError(`make the writable layer ${directory}`, cause)
  }
}

/**
 * The directories of an overlay with what was written to them; made where they are missing, also by a process that
 * was killed while it made them. What the work directory has is the kernel's to remove.
 * @throws {TsbuildError} as `createWritable`; SNAPSHOT_UNAVAILABLE where another kind of snapshot is kept there
 */
export async function reopenWritable(
  directory: string,
  lower: readonly string[],
): Promise<WritablePart> {
  const part = { upper: `${directory}/upper`, work: `${directory}/work` }
  const making = `${directory}/making`
  try {
    makeFolders(directory, 0o700)
    if (existsSync(`${directory}/root`)) throw notKeptError('what was written to a copy')
    if (!existsSync(part.upper)) {
      await removeTree(making)
      renameSync(createWritable(making, lower).upper, part.upper)
    }
    // By this the kernel refuses what was mounted without syncing.
    const left = `${part.work}/work/incompat`
    await Promise.all([making, left].map((path) => removeTree(path)))
    makeFolders(part.work, 0o700)
    return part
  } catch (cause) {
    throw ioError(`reopen the writable layer ${directory}`, cause)
  }
}

/** Gives a directory owner, mode, attributes and times of another one. */
export function copyAttributes(from: string, to: string): void {
  const stat = lstatSync(from)
  chownSync(to, stat.uid, stat.gid)
  chmodSync(to, stat.mode & 0o7777)
  copyXattrs(from, to)
  lutimesSync(to, stat.atimeMs / 1000, stat.mtimeMs / 1000)
}
