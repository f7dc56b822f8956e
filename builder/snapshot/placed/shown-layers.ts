import { existsSync, statSync } from 'node:fs'
import { addOutline, mergeOutline, type Outline } from './outline.ts'

/** A layer that is shown, known by its inode: a commit renames its directory or tar. */
export interface ShownLayer {
  readonly inode: string
  readonly path: string
  /** Of a layer that was collected: what its directory has, which may be removed. */
  readonly outline?: Outline
}

/** The layer at a path. The number of an inode alone may be given to another file. */
export function layerAt(path: string): ShownLayer {
  const { dev, ino, birthtimeNs } = statSync(path, { bigint: true })
  return { inode: `${dev}:${ino}:${birthtimeNs}`, path }
}

/** Whether two stacks have the same layers. */
export function isSameStack(one: readonly ShownLayer[], other: readonly ShownLayer[]): boolean {
  return one.length === other.length && one.every((layer, i) => isSameLayer(layer, other[i]))
}

/**
 * The names about which layers decide that only one of two stacks has. `undefined` when it cannot be
 * known: a layer that was shown is no longer where it was.
 */
export function differingNames(
  layers: readonly ShownLayer[],
  shown: readonly ShownLayer[],
): Outline | undefined {
  const [added, dropped] = withoutCommonEnd(layers, shown)
  const names: Outline = new Map()
  for (const layer of added) addOutline(names, layer.path)
  for (const { inode, path, outline } of dropped) {
    if (outline !== undefined) mergeOutline(names, outline)
    else if (findLayer(path)?.inode === inode) addOutline(names, path)
    else return undefined
  }
  return names
}

function findLayer(path: string): ShownLayer | undefined {
  return existsSync(path) ? layerAt(path) : undefined
}

/** What is left of both stacks without the layers that both have at their lower end. */
function withoutCommonEnd(
  one: readonly ShownLayer[],
  other: readonly ShownLayer[],
): readonly [readonly ShownLayer[], readonly ShownLayer[]] {
  let common = 0
  while (isSameLayer(one.at(-1 - common), other.at(-1 - common))) common += 1
  return [one.slice(0, one.length - common), other.slice(0, other.length - common)]
}

function isSameLayer(one: ShownLayer | undefined, other: ShownLayer | undefined): boolean {
  return one !== undefined && one.inode === other?.inode
}
