import { BARE_DIRECTORY } from '#builder/linux'
import { type FileStat, joinName, type Name, parentOf, type Tree } from '#core'
import { treeError } from '../overlay/raw-tree.ts'
import { quote } from '../paths/quote.ts'
import { isWhiteoutDevice } from '../paths/whiteout.ts'
import type { LayerEntry, LayerFile, LayerTree } from './layer-tree.ts'
import { openLayerTree } from './open-layer.ts'

const MAX_CACHED_DIRECTORIES = 4096
const NONE: readonly LayerTree[] = []
/** Below 1,024, the default limit of descriptors. */
const MAX_OPEN_TOTAL = 256

/** A name in a directory of the merged view, and the layer that has it. */
export interface Listed {
  readonly name: Name
  readonly layer: LayerTree
  /** It is a regular file, and all that is known of it is in the file itself. */
  readonly isPlainFile: boolean
}

/**
 * The merged view of layers (topmost first; each a host path as `openLayerTree` takes it), as overlayfs
 * shows it: whiteouts and opaque marks take effect and are not shown. An empty list is the empty tree. The
 * layers must not change while the tree is open.
 */
export function stackTree(layers: readonly string[]): Tree {
  return new StackTree(layers)
}

/** The merged view of a stack of layers, see `stackTree`. */
export class StackTree implements Tree {
  readonly #layers: LayerTree[] = []
  /** The layers that a merged directory consists of, topmost first; none: there is no directory. */
  readonly #merged = new Map<Name, readonly LayerTree[]>()

  constructor(layers: readonly string[]) {
    try {
      const maxOpen = Math.max(2, Math.floor(MAX_OPEN_TOTAL / layers.length))
      for (const [i, layer] of layers.entries()) {
        this.#layers.push(openLayerTree(layer, { scope: `${i}:`, maxOpen }))
      }
    } catch (cause) {
      this.close()
      throw cause
    }
  }

  lstat(path: Name): FileStat | undefined {
    return path === '' ? (this.find(path)?.stat ?? BARE_DIRECTORY) : this.find(path)?.stat
  }

  readdir(path: Name): readonly Name[] {
    return this.list(path)
      .map(({ name }) => name)
      .sort()
  }

  /** What `readdir` says, not sorted, and where each name is. */
  list(path: Name): readonly Listed[] {
    const layers = this.#layersOf(path)
    if (layers === undefined) throw treeError(`list ${quote(path)}`, 'not a directory')
    const shown: Listed[] = []
    const seen = new Set<string>()
    for (const layer of layers) {
      const isAsOnDisk = !layer.hasKeptAttributes
      for (const entry of layer.entries(path)) {
        const name = entry.name as Name
        if (layers.length > 1 && seen.has(name)) continue
        seen.add(name)
        if (mayBeWhiteout(entry) && !this.#isShown(layer, joinName(path, name))) continue
        shown.push({ name, layer, isPlainFile: isAsOnDisk && entry.isFile() })
      }
    }
    return shown
  }

  readlink(path: Name): Name {
    return this.#get(path).layer.readlink(path)
  }

  openFile(path: Name): number {
    return this.#get(path).layer.openFile(path)
  }

  xattrs(path: Name): ReadonlyMap<string, Buffer> {
    return this.#get(path).layer.xattrs(path)
  }

  /** All attributes that a container sees, including those that are never in a tar. */
  allXattrs(path: Name): ReadonlyMap<string, Buffer> {
    return this.#get(path).layer.allXattrs(path)
  }

  close(): void {
    for (const layer of this.#layers.splice(0)) layer.close()
    this.#merged.clear()
  }

  #get(path: Name): LayerFile {
    const found = this.find(path)
    if (found !== undefined) return found
    throw treeError(`find ${quote(path)}`, 'no such file')
  }

  /** What `lstat` says, and the layer that has it: for callers that need more of it. */
  find(path: Name): LayerFile | undefined {
    const layers = path === '' ? this.#layers : this.#layersOf(parentOf(path))
    for (const layer of layers ?? []) {
      const stat = layer.lstat(path)
      if (stat === undefined) continue
      return isWhiteoutDevice(stat) ? undefined : { layer, stat }
    }
    const [top] = this.#layers
    return path === '' && top !== undefined ? { layer: top, stat: BARE_DIRECTORY } : undefined
  }

  /** The position of the layer that has what is at a path; `undefined` where nothing is. */
  layerAt(path: Name): number | undefined {
    const found = this.find(path)
    return found && this.#layers.indexOf(found.layer)
  }

  #isShown(layer: LayerTree, path: Name): boolean {
    const stat = layer.lstat(path)
    return stat !== undefined && !isWhiteoutDevice(stat)
  }

  /** `undefined` when the merged view has no directory at `path`. */
  #layersOf(path: Name): readonly LayerTree[] | undefined {
    if (path === '') return this.#layers
    const known = this.#merged.get(path)
    if (known !== undefined) return known.length === 0 ? undefined : known
    // From the nearest known ancestor down; not recursive, because paths may be deep.
    let end = path.lastIndexOf('/')
    while (end > 0 && !this.#merged.has(path.slice(0, end) as Name)) {
      end = path.lastIndexOf('/', end - 1)
    }
    let layers = (end > 0 ? this.#merged.get(path.slice(0, end) as Name) : this.#layers) ?? NONE
    while (layers.length > 0 && end < path.length) {
      const next = path.indexOf('/', end < 0 ? 0 : end + 1)
      end = next < 0 ? path.length : next
      layers = this.#merge(path.slice(0, end) as Name, layers)
    }
    // Nothing exists below it, either: further lookups are answered from here.
    if (layers.length === 0) this.#remember(path, NONE)
    return layers.length === 0 ? undefined : layers
  }

  #merge(path: Name, candidates: readonly LayerTree[]): readonly LayerTree[] {
    const layers: LayerTree[] = []
    for (const layer of candidates) {
      const stat = layer.lstat(path)
      if (stat === undefined) continue
      if (stat.type !== 'directory') break
      layers.push(layer)
      // The lowest layer hides nothing, so its mark is not read.
      if (layer !== candidates.at(-1) && layer.isOpaque(path)) break
    }
    this.#remember(path, layers)
    return layers
  }

  #remember(path: Name, layers: readonly LayerTree[]): void {
    if (this.#merged.size >= MAX_CACHED_DIRECTORIES) this.#merged.clear()
    this.#merged.set(path, layers)
  }
}

/** Some file systems do not report types while listing. A socket stands for what is kept beside. */
function mayBeWhiteout(entry: LayerEntry): boolean {
  if (entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()) return false
  return !(entry.isFIFO() || entry.isBlockDevice())
}
