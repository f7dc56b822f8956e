import { type FoundChange, openLayerTree } from '#builder/layer'
import { joinName, type Name } from '#core'

/**
 * Which names layers decide about, without what is in the files. A directory is an outline when it is
 * merged with what is below; anything else (files, deletions, directories that hide those below) is
 * `replaced`.
 */
export type Outline = Map<Name, Outline | 'replaced'>

/** Adds the names of a layer, as `openLayerTree` takes it, to an outline. */
export function addOutline(outline: Outline, path: string): void {
  const layer = openLayerTree(path)
  try {
    const folders = [{ path: '' as Name, outline }]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of layer.entries(folder.path)) {
        const name = entry.name as Name
        const path = joinName(folder.path, name)
        if (!entry.isDirectory() || layer.isOpaque(path)) {
          folder.outline.set(name, 'replaced')
          continue
        }
        const known = folder.outline.get(name)
        if (known === 'replaced') continue
        const below: Outline = known ?? new Map()
        folder.outline.set(name, below)
        folders.push({ path, outline: below })
      }
    }
  } finally {
    layer.close()
  }
}

/** Passes changes of a step on, and adds their names to its outline. */
export function* outlineOf(found: Iterable<FoundChange>, outline: Outline): Generator<FoundChange> {
  for (const one of found) {
    const { change, isHidden } = one
    const isFolder = change.kind === 'entry' && change.stat.type === 'directory'
    if (change.path !== '') addName(outline, change.path, isFolder && !isHidden)
    yield one
  }
}

/** Adds the names of another outline. */
export function mergeOutline(outline: Outline, other: Outline): void {
  const left = [{ outline, other }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    for (const [name, below] of next.other) {
      const known = next.outline.get(name)
      if (below === 'replaced') next.outline.set(name, below)
      else if (known !== 'replaced') {
        const merged: Outline = known ?? new Map()
        next.outline.set(name, merged)
        left.push({ outline: merged, other: below })
      }
    }
  }
}

/** Adds one name that is decided about. */
export function addReplaced(outline: Outline, path: Name): void {
  addName(outline, path, false)
}

/** @param isMerged it is a directory, which is merged with what is below */
function addName(outline: Outline, path: Name, isMerged: boolean): void {
  const names = path.split('/') as Name[]
  const last = names.pop()
  let folder = outline
  for (const name of names) {
    const known = folder.get(name)
    if (known === 'replaced') return
    const next: Outline = known ?? new Map()
    folder.set(name, next)
    folder = next
  }
  if (last === undefined) return
  if (!isMerged) folder.set(last, 'replaced')
  else if (!folder.has(last)) folder.set(last, new Map())
}
