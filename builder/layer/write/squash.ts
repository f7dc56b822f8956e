import { treeDifference } from '../overlay/tree-difference.ts'
import { stackTree } from '../stack/stack-tree.ts'
import { type WrittenTar, writeTar } from './write.ts'

/** The layers of an image, topmost first, and where the tar of the new ones goes. */
interface SquashTask {
  readonly layers: readonly string[]
  /** Those of the base, which are among them. */
  readonly below: readonly string[]
  /** A file to create. */
  readonly tar: string
}

/** Writes one layer that is on the base what all new layers are. */
export function squashLayers({ layers, below, tar }: SquashTask): WrittenTar {
  const tree = stackTree(layers)
  try {
    const lower = stackTree(below)
    try {
      return writeTar(treeDifference(tree, lower), tar)
    } finally {
      lower.close()
    }
  } finally {
    tree.close()
  }
}
