import { readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import type { Store } from '#cache'
import { errnoOf, SNAPSHOTTER_KINDS, type SnapshotterKind } from '#core'

const FACT = 'snapshotter'

/** Where the snapshotter that was found to work is kept. */
export interface SnapshotterMemory {
  recall(): SnapshotterKind | undefined
  remember(kind: SnapshotterKind): void
}

/**
 * Keeps it in the store, for the file system that the store is on, this kernel, and what this process may
 * do. On a machine where overlays work there is nothing to keep.
 */
export function snapshotterMemory({
  root,
  facts,
}: Pick<Store, 'root' | 'facts'>): SnapshotterMemory {
  return {
    recall: () => {
      const [kind, place] = facts.get(FACT)?.split('\n') ?? []
      // Asked only where something is kept: what follows reads several files.
      if (kind === undefined || place !== placeOf(root)) return undefined
      return SNAPSHOTTER_KINDS.find((one) => one === kind)
    },
    remember: (kind) => facts.set(FACT, `${kind}\n${placeOf(root)}`),
  }
}

/** Everything that decides which snapshotters work, in one line. */
function placeOf(root: string): string {
  const status = readIfThere('/proc/self/status')
  const rights = ['CapEff', 'NoNewPrivs', 'Seccomp'].map((key) => {
    return new RegExp(`^${key}:\\s*(\\w+)`, 'm').exec(status)?.[1]
  })
  const ids = readIfThere('/proc/self/uid_map').trim().split(/\s+/)
  return JSON.stringify([statSync(root).dev, release(), rights, ids])
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return ''
    throw cause
  }
}
