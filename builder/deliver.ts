import { createReadStream, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  directoryWriter,
  exportToArchive,
  exportToRegistry,
  exportToStore,
  type FinishedImage,
  tarWriter,
} from '#builder/export'
import type { Store } from '#cache'
import { type Compression, type Descriptor, ioError, TsbuildError, unreachable } from '#core'
import { formatReference, type PushProgress } from '#registry-client'
import type { LayerCompression, Output } from './options.ts'
import type { Services } from './services.ts'
import type { Settings } from './settings.ts'

export interface DeliverDeps {
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
  /** Overlay directories of the image, topmost first. */
  readonly directories: () => Promise<readonly string[]>
}

/** Sends an image to every output in turn. @returns the manifest of the last one that has any */
export async function deliver(
  image: FinishedImage,
  deps: DeliverDeps,
): Promise<Descriptor | undefined> {
  let last: Descriptor | undefined
  for (const output of deps.settings.outputs) {
    last = (await deliverTo(output, image, deps)) ?? last
  }
  return last
}

async function deliverTo(
  output: Output,
  image: FinishedImage,
  deps: DeliverDeps,
): Promise<Descriptor | undefined> {
  const { settings, store } = deps
  const { signal } = settings
  const names = settings.tags.map(formatReference)
  switch (output.type) {
    case 'store':
      return reported('exporting to image', settings, () =>
        exportToStore(image, { store, names, signal }),
      )
    case 'registry':
      return pushAll(image, compressionOf(output.compression), deps)
    case 'oci':
    case 'docker': {
      const { type: format, dest } = output
      return reported(`exporting to ${format} image format`, settings, async () => {
        await using writer = output.tar === false ? directoryWriter(pathOf(dest)) : tarWriter(dest)
        const compression = compressionOf(output.compression)
        const options = { store, names, compression, format, signal }
        const manifest = await exportToArchive(image, writer, options)
        await writer.finish()
        return manifest
      })
    }
    case 'local':
    case 'tar':
      return reported(`exporting to ${output.type}`, settings, () => unpack(output, deps))
    default:
      return unreachable(output)
  }
}

async function unpack(
  output: Extract<Output, { type: 'local' | 'tar' }>,
  { store, services, directories }: DeliverDeps,
): Promise<undefined> {
  const { type: format, dest } = output
  const layers = await directories()
  if (format === 'local') {
    await services.pool.run('unpackTree', { directories: layers, dest: pathOf(dest), format })
    return
  }
  await using temporary = store.temporary()
  const aside = typeof dest === 'string' ? `${dest}.part` : join(temporary.path, 'tree.tar')
  await services.pool.run('unpackTree', { directories: layers, dest: aside, format })
  try {
    if (typeof dest === 'string') renameSync(aside, dest)
    else await pipeline(createReadStream(aside), dest, { end: false })
  } catch (cause) {
    throw ioError('write the tar', cause)
  }
}

/** Tags of one repository go together; each repository gets its own upload. */
async function pushAll(
  image: FinishedImage,
  compression: Compression,
  { settings, store, services }: DeliverDeps,
): Promise<Descriptor | undefined> {
  const byRepository = Map.groupBy(
    settings.tags,
    ({ registry, repository }) => `${registry}/${repository}`,
  )
  let manifest: Descriptor | undefined
  for (const [repository, references] of byRepository) {
    const [first, ...rest] = references
    if (first === undefined) continue
    manifest = await reported(`pushing ${repository}`, settings, (onProgress) =>
      exportToRegistry(image, [first, ...rest], {
        store,
        client: services.client(),
        compression,
        onProgress,
        signal: settings.signal,
      }),
    )
  }
  return manifest
}

/** Shows an output as a vertex of its own. */
export async function reported<T>(
  name: string,
  { onEvent }: Pick<Settings, 'onEvent'>,
  perform: (onProgress: (progress: PushProgress) => void) => Promise<T>,
): Promise<T> {
  const vertex = `output ${name}`
  const started = performance.now()
  onEvent({ type: 'started', vertex, name })
  try {
    const result = await perform(({ id, current, total, done }) =>
      onEvent({
        type: 'progress',
        vertex,
        id,
        current,
        done,
        ...(total === undefined ? {} : { total }),
      }),
    )
    onEvent({ type: 'done', vertex, milliseconds: performance.now() - started })
    return result
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    onEvent({ type: 'failed', vertex, message, milliseconds: performance.now() - started })
    throw cause
  }
}

function compressionOf(wanted: LayerCompression | undefined): Compression {
  return wanted === 'uncompressed' ? 'none' : (wanted ?? 'gzip')
}

function pathOf(dest: string | Writable): string {
  if (typeof dest === 'string') return dest
  throw new TsbuildError('a folder cannot be written to a stream', {
    code: 'USAGE',
    hint: 'name a folder with dest=PATH',
  })
}
