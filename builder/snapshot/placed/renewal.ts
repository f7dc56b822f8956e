import type { StackTree } from '#builder/layer'
import { joinName, type Name } from '#core'
import type { Folder } from './file-index.ts'
import { type Kept, keptWhole } from './kept-paths.ts'
import type { Outline } from './outline.ts'
import type { KeptPath } from './placement.ts'

/** A directory that stays: what is shown of it are attributes of layers. */
interface StayingFolder {
  readonly path: Name
  readonly folder: Folder
}

/** Something that is removed, and made as the layers have it. */
interface ReplacedPath extends KeptPath {
  readonly path: Name
  readonly name: Name
  readonly parent: Folder
}

/** What of a root is made anew. */
export interface Renewal {
  readonly folders: readonly StayingFolder[]
  readonly replaced: readonly ReplacedPath[]
}

/** What differs when a root that shows `shown` is to show `tree`, where only names in `touched` can. */
export function renewalOf(
  shown: Folder,
  tree: StackTree,
  { touched, kept }: { readonly touched: Outline; readonly kept: Kept },
): Renewal {
  const folders: StayingFolder[] = []
  const replaced: ReplacedPath[] = []
  const left = [{ path: '' as Name, folder: shown, touched, kept: kept as Kept | undefined }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    folders.push({ path: next.path, folder: next.folder })
    for (const [name, below] of next.touched) {
      const path = joinName(next.path, name)
      const keptBelow = next.kept?.get(name)
      if (keptBelow === keptWhole) continue
      const known = next.folder.entries.get(name)
      if (
        below !== 'replaced' &&
        typeof known === 'object' &&
        tree.lstat(path)?.type === 'directory'
      ) {
        left.push({ path, folder: known, touched: below, kept: keptBelow })
      } else {
        replaced.push({ path, name, parent: next.folder, kept: keptBelow })
      }
    }
  }
  return { folders, replaced }
}
