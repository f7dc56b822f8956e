import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { resolveInTree } from '#builder/layer'
import { readBounded } from '#builder/linux'
import { directoryTree } from '#builder/tree'
import { ioError, nameOf, TsbuildError, textOfName } from '#core'
import { MAX_DOCKERFILE_BYTES } from '#parser'

/** What a contained file is called in messages. */
export interface FileLabel {
  /** What was being done: `read the ignore file`. */
  readonly doing: string
  /** The path as the user knows it. */
  readonly shown: string
}

/**
 * Reads a file below `root`. Links are followed as by a process whose root is that folder, so that the
 * folder's author cannot make the build read another file of this machine. `undefined` when there is
 * nothing at `path`.
 * @throws {TsbuildError} CONTEXT_INVALID when it is not a regular file, or larger than 4 MiB, or a link
 * to nothing
 */
export function readContained(root: string, path: string, label: FileLabel): Buffer | undefined {
  const tree = directoryTree(root)
  try {
    const name = nameOf(path)
    const parentless = resolveInTree(tree, name, { followLast: false })
    if (tree.lstat(parentless) === undefined) return undefined
    const resolved = resolveInTree(tree, name, { followLast: true })
    const stat = tree.lstat(resolved)
    if (stat === undefined) {
      const hint = 'links are followed inside its folder only; put the file itself there'
      throw unreadableError(label, 'it is a link to nothing in its folder', hint)
    }
    if (stat.type !== 'file') throw unreadableError(label, 'it is not a regular file')
    const descriptor = tree.openFile(resolved)
    try {
      const refuse = (why: string): TsbuildError => unreadableError(label, why)
      return readBounded(descriptor, { limit: MAX_DOCKERFILE_BYTES, refuse })
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    throw ioError(`${label.doing}: ${label.shown}`, cause)
  } finally {
    tree.close()
  }
}

/**
 * The absolute path of the folder that `path` means below `root`, where links lead nowhere else.
 * @throws {TsbuildError} CONTEXT_INVALID when there is none
 */
export function containedFolder(root: string, path: string): string {
  const tree = directoryTree(root)
  try {
    const resolved = resolveInTree(tree, nameOf(path), { followLast: true })
    if (tree.lstat(resolved)?.type === 'directory') return join(root, textOfName(resolved))
    throw new TsbuildError(`the build context has no folder ${JSON.stringify(path)}`, {
      code: 'CONTEXT_INVALID',
      hint: 'the folder is a path in the archive',
    })
  } finally {
    tree.close()
  }
}

function unreadableError({ doing, shown }: FileLabel, why: string, hint?: string): TsbuildError {
  return new TsbuildError(`${doing}: ${shown}: ${why}`, { code: 'CONTEXT_INVALID', hint })
}
