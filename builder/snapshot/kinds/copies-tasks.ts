/** The tasks of the thread of one placed root. */

import { layerOwners, rawTree, stackTree, treeDifference, writeLayer } from '#builder/layer'
import { threadSettings } from '#builder/threads'
import { PlacedRoot } from '../placed/placed-root.ts'

let placed: PlacedRoot | undefined

function threadRoot(): PlacedRoot {
  placed ??= new PlacedRoot(threadSettings<string>())
  return placed
}

/** Makes the root show a stack, topmost first. */
export function place(lower: readonly string[]): void {
  threadRoot().place(lower)
}

/** Writes what was changed in it to a new directory, in overlay form; it is shown from then on. */
export function collect(upper: string): void {
  threadRoot().collect(upper)
}

/** A directory of files, the layers that it was made from (topmost first), and a directory to make. */
export interface Difference {
  readonly directory: string
  readonly lower: readonly string[]
  readonly to: string
}

/** Writes what makes a directory differ from layers, without knowing what it showed before. */
export function writeDifference({ directory, lower, to }: Difference): void {
  const tree = rawTree(directory)
  try {
    const below = stackTree(lower)
    try {
      writeLayer(treeDifference(tree, below), { directory: to }, { owners: layerOwners() })
    } finally {
      below.close()
    }
  } finally {
    tree.close()
  }
}

/** Says that what was collected last has been changed since. */
export function forgetCollected(): void {
  threadRoot().forgetCollected()
}
