import { mkdirSync } from 'node:fs'
import type { OverlayMount, WritablePart } from '#core'
import type { LayersMount, Snapshot, Snapshotter, View, ViewOptions } from '../spec/snapshotter.ts'
import { createWritable, reopenWritable } from '../upper/writable.ts'

/** Snapshots by the kernel's overlayfs. Whether it can show them is seen when a sandbox mounts them. */
export class OverlaySnapshotter implements Snapshotter {
  readonly kind = 'overlay'

  async prepare(directory: string, lower: readonly string[]): Promise<Snapshot> {
    return overlaySnapshot(createWritable(directory, lower), lower)
  }

  async reopen(directory: string, lower: readonly string[]): Promise<Snapshot> {
    const snapshot = overlaySnapshot(await reopenWritable(directory, lower), lower)
    return { ...snapshot, root: { ...snapshot.root, lasting: true } }
  }

  async view(
    directory: string,
    lower: readonly string[],
    { writable }: ViewOptions,
  ): Promise<View> {
    const mount: LayersMount = writable
      ? { type: 'overlay', target: '/', lower, writable: createWritable(directory, lower) }
      : readOnlyOverlay(directory, lower)
    return { mount, [Symbol.asyncDispose]: async () => undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It holds nothing.
  }
}

function overlaySnapshot(
  writable: WritablePart,
  lower: readonly string[],
): Snapshot & { readonly root: OverlayMount } {
  return {
    root: { type: 'overlay', target: '/', lower, writable },
    changes: async () => writable.upper,
    altered: () => undefined,
    exhausted: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Layers that cannot be written to. @param directory is made where there are none */
export function readOnlyOverlay(directory: string, lower: readonly string[]): LayersMount {
  if (lower.length > 0) return { type: 'overlay', target: '/', lower }
  mkdirSync(directory)
  return { type: 'overlay', target: '/', lower: [directory] }
}
