import { stackTree } from '#builder/layer'
import type { Ring } from '#builder/threads'
import { type Name, nameOf } from '#core'
import type { ContainerLayers } from '../layers/container-layers.ts'
import { findInRoot, type PathTask, parseContainerPath } from '../root/container-path.ts'
import { RootTree } from '../root/root-tree.ts'
import { ArchiveWriter } from './archive-writer.ts'

/**
 * Writes what is at a path of a container as a tar, whose first entry has the last name of the path as it was asked for.
 * @throws {TsbuildError} NOT_FOUND, IO_FAILED also where a file shrank, PEER_GONE, CANCELLED
 */
export function writeArchive({ ring, ...task }: PathTask & { readonly ring: Ring }): void {
  using tree = new RootTree(task.root)
  const { path, stat } = findInRoot(tree, task, 'where a directory is meant')
  const { base } = parseContainerPath(task.path)
  const writer = new ArchiveWriter(tree, ring)
  writer.writeTree({ path, name: base === '/' ? ('' as Name) : nameOf(base), stat })
  writer.end()
}

/** What the files of a container are made of. */
export interface ExportTask {
  readonly layers: ContainerLayers
  readonly ring: Ring
}

/** Writes all files of a container as a tar, without what is mounted in it. @throws as `writeArchive` */
export function exportLayers({ layers: { upper, lower }, ring }: ExportTask): void {
  const tree = stackTree([upper, ...lower])
  try {
    const writer = new ArchiveWriter(tree, ring)
    writer.writeRoot()
    writer.end()
  } finally {
    tree.close()
  }
}
