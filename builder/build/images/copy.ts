import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkFile, checkFolder, directoryWriter, tarWriter } from '#builder/export'
import { layoutSource } from '#builder/plan'
import {
  type Bytes,
  type Descriptor,
  ioError,
  parseIndex,
  parsePlatform,
  TsbuildError,
  typedFailure,
} from '#core'
import {
  type CopiedImage,
  type CopyOptions,
  copyImage,
  copyReferrers,
  formatReference,
  type ImageSource,
  type PushProgress,
  parseReference,
  type RegistryClient,
  repositoryTarget,
  withDefaultTag,
} from '#registry-client'
import { reportOutput } from '../deliver.ts'
import { readArchiveFiles } from './archive-files.ts'
import { type ArchivedImage, archiveSource } from './archive-source.ts'
import { type ImagePlace, parseImagePlace } from './image-place.ts'
import { clientFor, type ImageOptions, listenerOf, storeFor } from './image-services.ts'
import { LayoutTarget } from './layout-target.ts'

/** What `copyImages` is asked to do. */
export interface CopyImagesOptions extends ImageOptions {
  /** See `parseImagePlace`. */
  readonly from: string
  readonly to: string
  /** One image of an index; default: the index with everything that it lists. */
  readonly platform?: string | undefined
  /** From a registry to another: signatures and other manifests that refer to it, too. */
  readonly referrers?: boolean | undefined
}

/**
 * Copies an image between registries, layouts and archives as it is: nothing is unpacked or packed, and its digests stay.
 * Blobs that a registry has in another repository are mounted.
 * @throws {TsbuildError} REFERENCE_INVALID, USAGE, NOT_FOUND and failures of both sides
 */
export async function copyImages(options: CopyImagesOptions): Promise<CopiedImage> {
  const from = parseImagePlace(options.from)
  const to = parseImagePlace(options.to)
  checkTarget(to)
  const isRegistries = from.kind === 'registry' && to.kind === 'registry'
  if (options.referrers === true && !isRegistries) {
    throw new TsbuildError('referrers are copied between registries only', {
      code: 'USAGE',
      hint: 'leave --referrers out, or copy to a registry',
    })
  }
  const onEvent = listenerOf(options)
  const name = `copying ${options.from} to ${options.to}`
  try {
    // It remembers which repositories have which blobs, and archives are put aside in it.
    await using store = storeFor(options)
    await using temporary = store.temporary()
    await using client = clientFor(options, store.repositories)
    const deps = { client, folder: temporary.path, signal: options.signal }
    return await reportOutput(name, { onEvent, position: 0 }, async (onProgress) => {
      const source = await openSource(from, deps)
      const copied = await writeTo(to, source, {
        ...copyOptions(from, to, options),
        client,
        onProgress,
      })
      if (options.referrers === true && from.kind === 'registry' && to.kind === 'registry') {
        const route = {
          from: client.repository(from.reference),
          to: client.repository(to.reference),
        }
        await copyReferrers(route, copied.manifests, { signal: options.signal })
      }
      return copied
    })
  } catch (cause) {
    throw typedFailure('copy', cause)
  }
}

function copyOptions(
  from: ImagePlace,
  to: ImagePlace,
  { platform, signal, from: name }: CopyImagesOptions,
): CopyOptions {
  const isOneRegistry =
    from.kind === 'registry' &&
    to.kind === 'registry' &&
    from.reference.registry === to.reference.registry
  return {
    platform: platform === undefined ? undefined : parsePlatform(platform),
    mountFrom: isOneRegistry ? from.reference.repository : undefined,
    name,
    signal,
  }
}

function checkTarget(to: ImagePlace): void {
  if (to.kind === 'oci') checkFolder(to.path)
  else if (to.kind !== 'registry') checkFile(to.path)
  else if (to.reference.digest !== undefined) {
    throw new TsbuildError(`copy to ${formatReference(to.reference)}: a digest cannot be chosen`, {
      code: 'USAGE',
      hint: 'name a tag: the copy has the digest of the source',
    })
  }
}

interface OpenedSource {
  readonly source: ImageSource
  readonly tagOrDigest: string
}

interface SourceDeps {
  readonly client: RegistryClient
  /** For the files of an archive. */
  readonly folder: string
  readonly signal: AbortSignal | undefined
}

async function openSource(
  from: ImagePlace,
  { client, folder, signal }: SourceDeps,
): Promise<OpenedSource> {
  if (from.kind === 'registry') {
    const { reference } = from
    const tagOrDigest = reference.digest ?? reference.tag ?? ''
    return { source: client.repository(reference), tagOrDigest }
  }
  const { path, name } = from
  if (from.kind === 'oci') return { source: layoutSource(path), tagOrDigest: name ?? 'latest' }
  const files = await readArchiveFiles(readFile(path), { name: path, folder, signal })
  const { images, source } = archiveSource(files, path)
  return { source, tagOrDigest: chooseImage(images, from).digest }
}

async function* readFile(path: string): Bytes {
  try {
    yield* createReadStream(path)
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}

/** The only one, where none is named. */
function chooseImage(
  images: readonly ArchivedImage[],
  { path, name }: Exclude<ImagePlace, { kind: 'registry' }>,
): ArchivedImage {
  const [first, second] = images
  const found =
    name === undefined
      ? second === undefined && first
      : images.find(({ labels }) => labels.some((label) => label === name || isSame(label, name)))
  if (found) return found
  const all = images.flatMap(({ labels }) => labels)
  const what = name === undefined ? `it has ${images.length} images` : `it has no ${name}`
  throw new TsbuildError(`read ${path}: ${what}`, {
    code: 'NOT_FOUND',
    hint:
      all.length === 0
        ? 'its images have no names'
        : `write one of them behind it: ${all.join(', ')}`,
  })
}

function isSame(label: string, name: string): boolean {
  try {
    return canonical(label) === canonical(name)
  } catch (cause) {
    if (cause instanceof TsbuildError) return false
    throw cause
  }
}

function canonical(name: string): string {
  return formatReference(withDefaultTag(parseReference(name)))
}

interface WriteOptions extends CopyOptions {
  readonly client: RegistryClient
  readonly onProgress: (progress: PushProgress) => void
}

async function writeTo(
  to: ImagePlace,
  { source: from, tagOrDigest }: OpenedSource,
  { client, onProgress, ...options }: WriteOptions,
): Promise<CopiedImage> {
  if (to.kind === 'registry') {
    const tags = [to.reference.tag ?? 'latest']
    const target = repositoryTarget(client.repository(to.reference), { tags, onProgress })
    return await copyImage({ from, to: target }, tagOrDigest, options)
  }
  await using writer =
    to.kind === 'oci' ? directoryWriter(to.path) : await tarWriter(to.path, options.signal)
  const format = to.kind === 'docker-archive' ? 'docker' : 'oci'
  const target = new LayoutTarget(writer, format, onProgress)
  const names = to.name === undefined ? [] : [nameIn(to.kind, to.name)]
  const copied = await copyImage({ from, to: target.sink(names) }, tagOrDigest, options)
  const others = to.kind === 'oci' ? entriesOf(to.path) : []
  await target.finish(others)
  return copied
}

/** Docker's archives have whole names, layouts whatever is given. */
function nameIn(kind: ImagePlace['kind'], name: string): string {
  return kind === 'docker-archive' ? canonical(name) : name
}

/** What a folder has already stays. */
function entriesOf(folder: string): readonly Descriptor[] {
  const path = join(folder, 'index.json')
  return existsSync(path) ? parseIndex(readFileSync(path)).manifests : []
}
