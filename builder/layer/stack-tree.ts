import type { Tree } from '#core'

/** The merged view of layer directories in overlay form, topmost first. */
export function stackTree(directories: readonly string[]): Tree {
  throw new Error(`not yet ${directories}`)
}
