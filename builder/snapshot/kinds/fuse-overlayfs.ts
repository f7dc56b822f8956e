import { mkdirSync } from 'node:fs'
import { deletionsBeside } from '#builder/layer'
import { TsbuildError, type WritablePart } from '#core'
import { findHostProgram } from '#disk'
import type {
  Snapshot,
  Snapshotter,
  SnapshotterDeps,
  View,
  ViewOptions,
} from '../spec/snapshotter.ts'
import { unavailableError } from '../upper/unavailable.ts'
import { createWritable, reopenWritable } from '../upper/writable.ts'
import { type FuseOverlay, FuseServer } from './fuse-server.ts'

/** Snapshots by the program fuse-overlayfs, where it is installed and /dev/fuse can be opened. */
export class FuseOverlayfsSnapshotter implements Snapshotter {
  readonly kind = 'fuse-overlayfs'
  readonly #deps: Pick<SnapshotterDeps, 'work'>

  constructor(deps: Pick<SnapshotterDeps, 'work'>) {
    this.#deps = deps
  }

  async prepare(
    directory: string,
    lower: readonly string[],
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    return await this.#serve(directory, createWritable(directory, lower), { lower, signal })
  }

  async reopen(
    directory: string,
    lower: readonly string[],
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    return await this.#serve(directory, await reopenWritable(directory, lower), { lower, signal })
  }

  async #serve(
    directory: string,
    writable: WritablePart,
    { lower, signal }: ServeOptions,
  ): Promise<Snapshot> {
    const { upper } = writable
    const server = await startServer({ lower: orEmpty(directory, lower), writable })
    const { descriptor } = server
    return {
      root: { type: 'detached', target: '/', descriptor, writable: true },
      changes: async () => {
        await server.close()
        await this.#deps.work.adoptFuseUpper({ upper, lower }, signal)
        return upper
      },
      altered: () => undefined,
      exhausted: () => undefined,
      [Symbol.asyncDispose]: () => server.close(),
    }
  }

  async view(directory: string, lower: readonly string[], options: ViewOptions): Promise<View> {
    const writable = options.writable ? createWritable(directory, lower) : undefined
    if (writable === undefined) mkdirSync(directory)
    const server = await startServer({ lower: orEmpty(directory, lower), writable })
    const { descriptor } = server
    return {
      mount: { type: 'detached', target: '/', descriptor, writable: options.writable },
      [Symbol.asyncDispose]: () => server.close(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Snapshots hold the programs.
  }
}

interface ServeOptions {
  readonly lower: readonly string[]
  readonly signal: AbortSignal | undefined
}

/** @param directory exists; gets an empty layer where there is none */
function orEmpty(directory: string, lower: readonly string[]): readonly string[] {
  if (lower.length > 0) return lower
  const empty = `${directory}/empty`
  mkdirSync(empty, { recursive: true })
  return [empty]
}

async function startServer(overlay: FuseOverlay): Promise<FuseServer> {
  if (overlay.lower.some((directory) => deletionsBeside(directory) !== undefined)) {
    throw new TsbuildError('fuse-overlayfs reads no deletions on the file system of this store', {
      code: 'SNAPSHOT_UNAVAILABLE',
      hint: 'put the store on another file system (a volume, --root)',
    })
  }
  const program = findHostProgram('fuse-overlayfs')
  if (program === undefined) {
    throw new TsbuildError('fuse-overlayfs is not installed', {
      code: 'SNAPSHOT_UNAVAILABLE',
      hint: 'install the package fuse-overlayfs, and give the container /dev/fuse',
    })
  }
  try {
    return await FuseServer.start(program, overlay)
  } catch (cause) {
    throw unavailableError('start fuse-overlayfs', cause)
  }
}
