import {
  type BlobSource,
  collect,
  type Descriptor,
  formatPlatform,
  type ImageConfig,
  type Index,
  isIndexType,
  isManifestType,
  MAX_DOCUMENT_BYTES,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseManifestOrIndex,
  platformDistance,
  REFERENCE_TYPE,
  type TransferOptions,
  TsbuildError,
} from '#core'
import type { FetchedManifest } from '../repository/manifests.ts'

/** Where an image can be read by tag or digest: a `Repository`, an OCI layout, the local store. */
export interface ImageSource extends BlobSource {
  fetchManifest(tagOrDigest: string, options?: TransferOptions): Promise<FetchedManifest>
}

/** An image pinned by digests; none of its layers is fetched. */
export interface ResolvedImage {
  /** The index that the manifest was chosen from, if there was one: what the name points to. */
  readonly index?: Descriptor
  readonly manifestDescriptor: Descriptor
  readonly manifest: Manifest
  readonly manifestBytes: Buffer
  /** With the requested platform where it names none. */
  readonly config: ImageConfig
  readonly configBytes: Buffer
}

/** Which image of an index is wanted. */
export interface ResolveImageOptions extends TransferOptions {
  /** Chosen from an index; a single manifest is taken as it is, whatever its config says. */
  readonly platform: Platform
  /** How errors name the image; its tag or digest by default. */
  readonly name?: string | undefined
}

/**
 * Finds the image for a platform behind a tag or digest. The tag is resolved once; everything else is
 * fetched by digest.
 * @throws {TsbuildError} NOT_FOUND, PLATFORM_MISMATCH, MANIFEST_INVALID, CONFIG_INVALID
 */
export async function resolveImage(
  source: ImageSource,
  tagOrDigest: string,
  options: ResolveImageOptions,
): Promise<ResolvedImage> {
  const image = new ImageName(options.name ?? tagOrDigest)
  const { signal, platform } = options
  const top = await source.fetchManifest(tagOrDigest, { signal })
  let { descriptor, bytes } = top
  for (let depth = 0; ; depth++) {
    const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
    if (parsed.kind === 'manifest') {
      const fetched = await fetchConfig(source, parsed.manifest, image, { signal })
      const config = named(fetched.config, descriptor.platform ?? platform)
      return {
        ...(depth === 0 ? {} : { index: top.descriptor }),
        manifestDescriptor: descriptor,
        manifest: parsed.manifest,
        manifestBytes: bytes,
        config,
        configBytes: fetched.configBytes,
      }
    }
    if (depth >= MAX_DEPTH)
      throw image.invalidImageError('indexes within indexes', 'MANIFEST_INVALID')
    const chosen =
      choose(parsed.index, platform) ??
      (await chooseByConfig(parsed.index, { source, image }, options))
    if (chosen === undefined)
      throw image.noMatchError(platform, parsed.index.manifests.filter(isImage))
    const fetched = await source.fetchManifest(chosen.digest, { signal })
    if (fetched.descriptor.size !== chosen.size) {
      throw image.invalidImageError(`manifest ${chosen.digest} has another size`, 'SIZE_MISMATCH')
    }
    bytes = fetched.bytes
    descriptor = { ...fetched.descriptor, ...platformOf(chosen) }
  }
}

const MAX_DEPTH = 8
/** Each costs two requests. */
const MAX_UNNAMED = 32

/** Names the image in errors. */
class ImageName {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  invalidImageError(
    what: string,
    code: 'CONFIG_INVALID' | 'MANIFEST_INVALID' | 'SIZE_MISMATCH',
  ): TsbuildError {
    const hint = 'the image is damaged, or it was made by a faulty tool'
    return new TsbuildError(`resolve ${this.text}: ${what}`, { code, hint })
  }

  noMatchError(platform: Platform, offered: readonly Descriptor[]): TsbuildError {
    const names = offered.flatMap((one) =>
      one.platform === undefined ? [] : [formatPlatform(one.platform)],
    )
    return new TsbuildError(
      `resolve ${this.text} for ${formatPlatform(platform)}: no match for platform in manifest: not found`,
      {
        code: 'PLATFORM_MISMATCH',
        hint:
          names.length === 0
            ? 'its index names no platforms'
            : `it is offered for ${[...new Set(names)].join(', ')}: choose one with --platform`,
      },
    )
  }
}

/** The nearest platform; of equally near ones the first. A single manifest without one is taken. */
function choose(index: Index, platform: Platform): Descriptor | undefined {
  const offered = index.manifests.filter(isImage)
  const [only] = offered
  if (only !== undefined && offered.length === 1 && only.platform === undefined) return only
  let best: { readonly descriptor: Descriptor; readonly distance: number } | undefined
  for (const descriptor of offered) {
    if (descriptor.platform === undefined) continue
    const distance = platformDistance(platform, descriptor.platform)
    if (distance === undefined || distance >= (best?.distance ?? Number.POSITIVE_INFINITY)) continue
    best = { descriptor, distance }
  }
  return best?.descriptor
}

/** Of the images without a platform in the index, the first whose config fits. */
async function chooseByConfig(
  { manifests }: Index,
  { source, image }: { readonly source: ImageSource; readonly image: ImageName },
  { platform, signal }: ResolveImageOptions,
): Promise<Descriptor | undefined> {
  const unnamed = manifests.filter((one) => isImage(one) && one.platform === undefined)
  for (const descriptor of unnamed.slice(0, MAX_UNNAMED)) {
    const { bytes } = await source.fetchManifest(descriptor.digest, { signal })
    const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
    if (parsed.kind === 'index') continue
    const { config } = await fetchConfig(source, parsed.manifest, image, { signal })
    if (platformDistance(platform, named(config, platform).platform) !== undefined)
      return descriptor
  }
  return undefined
}

/** Attestations are in the same index, as manifests for a platform that does not exist. */
function isImage({ mediaType, platform, annotations }: Descriptor): boolean {
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) return false
  if (platform?.os === 'unknown' && platform.architecture === 'unknown') return false
  return annotations?.[REFERENCE_TYPE] === undefined
}

async function fetchConfig(
  source: ImageSource,
  manifest: Manifest,
  image: ImageName,
  options: TransferOptions,
): Promise<{ readonly config: ImageConfig; readonly configBytes: Buffer }> {
  if (manifest.config.size > MAX_DOCUMENT_BYTES) {
    const what = `its config has ${manifest.config.size} bytes, more than ${MAX_DOCUMENT_BYTES}`
    throw image.invalidImageError(what, 'CONFIG_INVALID')
  }
  const bytes = await source.open(manifest.config, options)
  const configBytes = await collect(bytes, MAX_DOCUMENT_BYTES)
  const config = parseImageConfig(configBytes)
  if (config.diffIds.length !== manifest.layers.length) {
    const counts = `${manifest.layers.length} layers and ${config.diffIds.length} diffIDs`
    throw image.invalidImageError(counts, 'CONFIG_INVALID')
  }
  return { config, configBytes }
}

/** A config without a system or an architecture is for the platform that it was chosen for. */
function named(config: ImageConfig, chosen: Platform): ImageConfig {
  const { os, architecture } = config.platform
  if (os !== '' && architecture !== '') return config
  const isOpen = architecture === '' && (os === '' || os === chosen.os)
  const known = { os: os || chosen.os, architecture: architecture || chosen.architecture }
  return { ...config, platform: { ...(isOpen ? chosen : {}), ...config.platform, ...known } }
}

function platformOf({ platform }: Descriptor): { readonly platform?: Platform } {
  return platform === undefined ? {} : { platform }
}
