import { createHash, randomBytes } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Gate, LayerWatch, type WorkPool, workPool } from '#builder/solve'
import { openStore, type Store } from '#cache'
import {
  type Bytes,
  type Compression,
  type Descriptor,
  type DiffId,
  type Digest,
  MEDIA_TYPES,
  type OpenOptions,
  Spans,
} from '#core'
import { BackgroundTasks } from '../../../../builder/solve/layers/background-tasks.ts'
import { BaseImageLayer } from '../../../../builder/solve/layers/base-image-layer.ts'
import type { LayerSource } from '../../../../builder/solve/work/tasks/blob.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { directory, file, hardlink, symlink, tar } from '../../../support/raw-tar/index.ts'

/** A layer as a registry has it. */
export interface RemoteLayer {
  readonly blob: Descriptor
  readonly diffId: DiffId
  readonly bytes: Buffer
}

/** Gives the bytes of a blob; `attempt` counts from 0. */
export type Serve = (bytes: Buffer, attempt: number, signal: AbortSignal | undefined) => Bytes

const TYPES: Readonly<Record<Compression, string>> = {
  none: MEDIA_TYPES.ociLayer,
  gzip: MEDIA_TYPES.ociLayerGzip,
  zstd: MEDIA_TYPES.ociLayerZstd,
  'zstd:chunked': MEDIA_TYPES.ociLayerZstd,
}

/** Files of all kinds, of so many bytes that do not compress. */
export function makeLayer(size: number, compression: Compression = 'gzip'): RemoteLayer {
  const count = 40
  const names = Array.from({ length: count }, (_, index) => `d${index % 4}/f${index}`)
  const text = (): string => randomBytes(Math.ceil(size / count)).toString('latin1')
  const content = tar(
    ...[0, 1, 2, 3].map((index) => directory(`d${index}/`)),
    ...names.map((name) => file(name, text(), { mode: 0o640 })),
    symlink('d0/link', '../d1'),
    hardlink('d2/other', names[1] ?? ''),
    file('d0/.wh.deleted'),
  )
  return layerOf(content, compression)
}

/** A layer of that tar. */
export function layerOf(content: Buffer, compression: Compression = 'gzip'): RemoteLayer {
  const pack = {
    ...{ none: (bytes: Buffer) => bytes, gzip: gzipSync, zstd: zstdCompressSync },
    'zstd:chunked': zstdCompressSync,
  }
  return blobOf(pack[compression](content), digest(content) as string as DiffId, compression)
}

/** A layer of a blob that claims to be some other. */
export function blobOf(
  bytes: Buffer,
  diffId: DiffId,
  compression: Compression = 'gzip',
): RemoteLayer {
  const blob = { mediaType: TYPES[compression], digest: digest(bytes), size: bytes.length }
  return { blob, diffId, bytes }
}

function digest(bytes: Buffer): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

/** The bytes in pieces, as a network gives them. */
export async function* inPieces(bytes: Buffer, size = 50_000): Bytes {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** A store, and layers that are pulled into it. */
export class PullBench implements AsyncDisposable {
  readonly store: Store
  readonly stop: AbortController = new AbortController()
  /** How often a blob was opened at its source. */
  opened = 0
  /** What the tasks on the layers read. */
  readonly sources: LayerSource['kind'][] = []
  readonly #at: TemporaryDirectory
  readonly #pool: WorkPool
  readonly #watch: LayerWatch
  readonly #tasks = new BackgroundTasks()

  constructor() {
    this.#at = temporaryDirectory('pull')
    this.store = openStore(this.#at.file('store'))
    const gate = new Gate()
    this.#pool = workPool(2, gate)
    this.#watch = new LayerWatch({ store: this.store, pool: this.#pool, gate })
    const runBeside = this.#pool.runBeside.bind(this.#pool)
    this.#pool.runBeside = (task, input, signal) => {
      if (typeof input === 'object' && 'source' in input) this.sources.push(input.source.kind)
      return runBeside(task, input, signal)
    }
  }

  /** The directory of a layer, whose bytes come from `serve`. */
  pull(layer: RemoteLayer, serve: Serve = (bytes) => inPieces(bytes)): Promise<string> {
    const open = async (_: Descriptor, { signal }: OpenOptions = {}): Promise<Bytes> =>
      serve(layer.bytes, this.opened++, signal)
    const { diffId, blob: descriptor } = layer
    const base = { diffId, descriptor, source: { open }, origin: undefined }
    const deps = {
      ...{ store: this.store, pool: this.#pool, watch: this.#watch, tasks: this.#tasks },
      lowerForm: async () => 'directory' as const,
      ...{ spans: new Spans(() => undefined), signal: this.stop.signal },
    }
    return new BaseImageLayer(base, deps, (take) => take({ open })).directory([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks.ended()
    await this.#pool[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
    this.#at[Symbol.dispose]()
  }
}
