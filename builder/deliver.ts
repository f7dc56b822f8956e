import { join } from 'node:path'
import type { Writable } from 'node:stream'
import {
  directoryWriter,
  exportToArchive,
  exportToRegistry,
  exportToStore,
  type ImageSet,
  openDestination,
  sendFile,
  tarWriter,
} from '#builder/export'
import type { LayerCompression, Output, Settings } from '#builder/options'
import type { Store } from '#cache'
import {
  type Compression,
  type Descriptor,
  formatPlatform,
  ioError,
  reported,
  unreachable,
} from '#core'
import { formatReference, type PushProgress } from '#registry-client'
import type { BuiltImage } from './image-build.ts'
import type { Services } from './services.ts'

export interface DeliverDeps {
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
}

/** Sends the images to every output in turn. @returns the manifest or index of the last one with any */
export async function deliver(
  built: readonly BuiltImage[],
  deps: DeliverDeps,
): Promise<Descriptor | undefined> {
  let last: Descriptor | undefined
  for (const [place, output] of deps.settings.outputs.entries()) {
    last = (await deliverTo(output, built, { ...deps, place })) ?? last
  }
  return last
}

/** Delivers to one of several outputs. */
interface OutputDeps extends DeliverDeps {
  /** Among the outputs. */
  readonly place: number
}

async function deliverTo(
  output: Output,
  built: readonly BuiltImage[],
  deps: OutputDeps,
): Promise<Descriptor | undefined> {
  const { settings, store, place } = deps
  const told = { onEvent: settings.onEvent, place }
  const image = await imagesFor(output, built, settings)
  const { signal } = settings
  const names = settings.tags.map(formatReference)
  switch (output.type) {
    case 'store':
      return sent('exporting to image', told, () => exportToStore(image, { store, names, signal }))
    case 'registry':
      return pushAll(image, compressionOf(output.compression), deps)
    case 'oci':
    case 'docker': {
      const { type: format, dest } = output
      return sent(`exporting to ${format} image format`, told, async () => {
        const inFolder = output.tar === false
        await using writer = inFolder
          ? directoryWriter(pathOf(dest))
          : await tarWriter(dest, signal)
        const compression = compressionOf(output.compression)
        const options = { store, names, compression, format, signal }
        const manifest = await exportToArchive(image, writer, options)
        await writer.finish()
        return manifest
      })
    }
    case 'local':
    case 'tar':
      return sent(`exporting to ${output.type}`, told, () => unpack(output, built, deps))
    default:
      return unreachable(output)
  }
}

async function imagesFor(
  output: Output,
  built: readonly BuiltImage[],
  { onEvent, isIndex }: Settings,
): Promise<ImageSet> {
  const rewrites = 'rewriteTimestamp' in output && output.rewriteTimestamp === true
  if (!rewrites) return { images: built.map((one) => one.image), isIndex }
  if (built.some(({ epoch }) => epoch === undefined)) {
    const message = 'rewrite-timestamp is given, but no SOURCE_DATE_EPOCH: times stay as they are'
    onEvent({ type: 'warning', message })
  }
  return { images: await Promise.all(built.map((one) => one.rewritten())), isIndex }
}

async function unpack(
  output: Extract<Output, { type: 'local' | 'tar' }>,
  built: readonly BuiltImage[],
  { settings, store, services }: DeliverDeps,
): Promise<undefined> {
  const { signal } = settings
  const { type: format, dest } = output
  const mode = output.mode ?? 'copy'
  const maxMtime = built[0]?.epoch
  const trees = await Promise.all(
    built.map(async ({ image, directories }) => ({
      directories: await directories(),
      // Several images share a destination: each has a folder of its own there.
      folder: settings.isIndex ? formatPlatform(image.platform).replaceAll('/', '_') : '',
    })),
  )
  const write = (to: string | number): Promise<void> =>
    services.pool.run('unpackTrees', { trees, dest: to, format, mode, maxMtime }, signal)
  if (format === 'local') {
    await write(pathOf(dest))
    return
  }
  const destination = openDestination(dest)
  try {
    if (destination.kind === 'file') {
      using file = destination.file
      await write(file.descriptor)
      file.commit()
      return
    }
    await using temporary = store.temporary()
    const aside = join(temporary.path, 'tree.tar')
    await write(aside)
    await sendFile(aside, destination, signal)
  } catch (cause) {
    throw ioError('write the tar', cause)
  }
}

/** Tags of one repository go together; each repository gets its own upload. */
async function pushAll(
  image: ImageSet,
  compression: Compression,
  { settings, store, services, place }: OutputDeps,
): Promise<Descriptor | undefined> {
  const told = { onEvent: settings.onEvent, place }
  const byRepository = Map.groupBy(
    settings.tags,
    ({ registry, repository }) => `${registry}/${repository}`,
  )
  const done = new Map<string, string>()
  let manifest: Descriptor | undefined
  for (const [name, references] of byRepository) {
    const [first, ...rest] = references
    if (first === undefined) continue
    const { registry, repository } = first
    manifest = await sent(`pushing ${name}`, told, (onProgress) =>
      exportToRegistry(image, [first, ...rest], {
        store,
        client: services.client(),
        compression,
        sibling: done.get(registry),
        ignoreChownErrors: settings.ignoreChownErrors,
        onProgress,
        signal: settings.signal,
      }),
    )
    done.set(registry, repository)
  }
  return manifest
}

/** Shows an output as a vertex of its own. */
export function sent<T>(
  name: string,
  { onEvent, place = 0 }: Pick<Settings, 'onEvent'> & { readonly place?: number },
  send: (onProgress: (progress: PushProgress) => void) => Promise<T>,
): Promise<T> {
  // Two outputs may do the same.
  const vertex = `output ${place} ${name}`
  const onProgress = ({ id, current, total, done }: PushProgress): void => {
    const known = total === undefined ? {} : { total }
    onEvent({ type: 'progress', vertex, id, current, done, ...known })
  }
  return reported({ id: vertex, name }, onEvent, () => send(onProgress))
}

function compressionOf(wanted: LayerCompression | undefined): Compression {
  return wanted === 'uncompressed' ? 'none' : (wanted ?? 'gzip')
}

function pathOf(dest: string | Writable): string {
  if (typeof dest === 'string') return dest
  throw new Error('outputs are checked before the build')
}
