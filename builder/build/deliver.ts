import type { Attested } from '#attest'
import {
  compressionFor,
  type EarlyLayers,
  EarlyUploads,
  type Exported,
  type ImageSet,
  type Output,
  sendOutput,
} from '#builder/export'
import type { Settings } from '#builder/options'
import type { Store } from '#cache'
import { type Descriptor, type Ending, type ExportedImages, formatPlatform, reported } from '#core'
import type { PushProgress, RegistryClient } from '#registry-client'
import type { SignGraph } from '#signing'
import type { BuiltImage } from './image-build.ts'
import { rewritesTimes } from './layers/rewrite-times.ts'
import type { Services } from './services.ts'

/** What the images of a build are sent with. */
export interface DeliverDeps {
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
  readonly early: EarlyLayers
  readonly uploads: EarlyUploads | undefined
  /** What is said of the images, in their order; absent: nothing. */
  readonly attested: readonly Attested[] | undefined
  readonly sign: SignGraph | undefined
}

/** Sends the images to every output in turn. @returns the manifest or index of the last one with any */
export async function deliver(
  built: readonly BuiltImage[],
  deps: DeliverDeps,
): Promise<Descriptor | undefined> {
  const { settings, store, services, early, uploads, sign, attested } = deps
  const { tags, ignoreChownErrors, environment, onEvent, spans, signal } = settings
  const isPushed = settings.outputs.some(({ type }) => type === 'registry')
  const registries = new Set(isPushed ? tags.map(({ registry }) => registry) : [])
  let last: Descriptor | undefined
  for (const [position, output] of settings.outputs.entries()) {
    const images = withAttestations(await imagesFor(output, built, settings), output, attested)
    const sent = await sendOutput(output, {
      images,
      tags,
      registries,
      store,
      early,
      uploads,
      client: () => services.client(),
      sign,
      ignoreChownErrors,
      writeTrees: (to, options) => writeTrees(built, { to, ...options }, deps),
      report: (name, send, names = []) =>
        reportOutput(
          name,
          { onEvent, position, exported: (root) => exportedOf(root, images, names) },
          send,
        ),
      environment,
      spans,
      signal,
    })
    last = sent ?? last
  }
  return last
}

async function imagesFor(
  output: Output,
  built: readonly BuiltImage[],
  { onEvent, isIndex }: Settings,
): Promise<ImageSet> {
  if (!rewritesTimes(output)) return { images: built.map((one) => one.image), isIndex }
  if (built.some(({ plan }) => plan.sourceDateEpoch === undefined)) {
    const message = 'rewrite-timestamp is given, but no SOURCE_DATE_EPOCH: times stay as they are'
    onEvent({ type: 'warning', message })
  }
  return { images: await Promise.all(built.map((one) => one.rewritten())), isIndex }
}

/** What has something said of it is in an index, which lists both. */
function withAttestations(
  { images, isIndex }: ImageSet,
  output: Output,
  attested: DeliverDeps['attested'],
): ImageSet {
  if (attested === undefined) return { images, isIndex }
  const isArtifact = !('ociArtifact' in output && output.ociArtifact === false)
  const said = images.map((image, position) => {
    return { ...image, attestations: attested[position]?.attestations ?? [] }
  })
  return { images: said, isIndex: true, isArtifact }
}

type Trees = Parameters<Exported['writeTrees']>[1] & { readonly to: string | number }

async function writeTrees(
  built: readonly BuiltImage[],
  { to: dest, format, mode, platformSplit, attestationPrefix = '' }: Trees,
  { settings, services, attested }: DeliverDeps,
): Promise<void> {
  const isSplit = platformSplit ?? settings.isIndex
  const trees = await Promise.all(
    built.map(async ({ image, lowers }, position) => {
      const platform = formatPlatform(image.platform).replaceAll('/', '_')
      const files = (await attested?.[position]?.asFiles()) ?? []
      // Several images share a destination: each has its own folder there, or its own names.
      const mark = settings.isIndex && !isSplit ? `.${platform}` : ''
      const added = files.map(({ name, data }) => ({
        name: `${attestationPrefix}${name.replace(/(?:\.[^.]*)?$/, (end) => mark + end)}`,
        data,
      }))
      return { lowers: await lowers(), added, folder: isSplit ? platform : '' }
    }),
  )
  const maxMtime = built[0]?.plan.sourceDateEpoch
  await services.pool.run('unpackTrees', { trees, dest, format, mode, maxMtime }, settings.signal)
}

/** Where an output is reported, and its position: two outputs may do the same. */
export interface ReportDeps<T = unknown> extends Pick<Settings, 'onEvent'> {
  readonly position: number
  /** Says which images the result is. Default: none. */
  readonly exported?: (result: T) => ExportedImages | undefined
}

/** Reports an output as a vertex, with the progress of its transfers. */
export function reportOutput<T>(
  name: string,
  { onEvent, position, exported }: ReportDeps<T>,
  send: (onProgress: (progress: PushProgress) => void) => Promise<T>,
): Promise<T> {
  const vertex = `output ${position} ${name}`
  const onProgress = ({ id, current, total, done }: PushProgress): void => {
    const known = total === undefined ? {} : { total }
    onEvent({ type: 'progress', vertex, id, current, done, ...known })
  }
  const ending = (result: T): Ending => ({ exported: exported?.(result) })
  return reported({ id: vertex, name, part: 'export', ending }, onEvent, () => send(onProgress))
}

function exportedOf(
  root: Descriptor | undefined,
  { images, isIndex }: ImageSet,
  names: readonly string[],
): ExportedImages | undefined {
  if (root === undefined) return undefined
  return { root: root.digest, isIndex, configs: images.map(({ id }) => id), names }
}

/** What early uploads are opened with. */
interface UploadDeps {
  readonly store: Store
  readonly client: () => RegistryClient
  /** Resolves while a step runs that leaves a processor. */
  readonly found: () => Promise<void>
}

/** What sends layers while steps run; `undefined` for a build that pushes none as they are made. */
export function openUploads(settings: Settings, deps: UploadDeps): EarlyUploads | undefined {
  const { outputs, tags, ignoreChownErrors, onEvent } = settings
  const pushed = outputs.filter((one) => {
    // What is changed for an output is not known before.
    return one.type === 'registry' && !rewritesTimes(one) && one.forceCompression !== true
  })
  // Further repositories of a registry have the layers mounted.
  const first = new Map(tags.toReversed().map((tag) => [tag.registry, tag]))
  const targets = pushed.flatMap((output) => {
    const compression = compressionFor(output)
    return [...first.values()].map(({ registry, repository }) => {
      return { registry, repository, compression }
    })
  })
  if (targets.length === 0) return undefined
  return new EarlyUploads(targets, {
    ...deps,
    ignoreChownErrors,
    report: (name, send) => reportOutput(name, { onEvent, position: -1 }, send),
  })
}
