import { join } from 'node:path'
import type { LayerCompression } from '#builder/export'
import type { BuildOptions } from '#builder/options'
import { layoutSource } from '#builder/plan'
import {
  type Digest,
  formatPlatform,
  hostPlatform,
  type Manifest,
  packedAs,
  parsePlatform,
  type TransferOptions,
} from '#core'
import { familiarReference, parseReference, type Repository, resolveImage } from '#registry-client'
import type { Provenance } from '#signing'
import { build } from '../../build.ts'
import { storeFor } from '../image-services.ts'
import { differencesOf } from './compare-rebuilt.ts'

/** What an image is built again of: the input and the registries, as in `BuildOptions`. */
export type RebuildInput = Omit<BuildOptions, 'outputs' | 'tags' | 'reproducible' | 'noCache'>

/** An image that was built again. */
export interface Rebuilt {
  readonly platform: string
  /** The manifest in the registry. */
  readonly expected: Digest
  readonly built: Digest
  /** Sentences, for people; empty if the digests are the same. */
  readonly differences: readonly string[]
}

/** The image that is to come out again. */
export interface RebuiltImage extends TransferOptions {
  readonly repository: Repository
  readonly tagOrDigest: string
  readonly provenance: readonly Provenance[]
}

/**
 * Builds an image again with `reproducible`, of the input alone: in a store of its own, which is removed, and with the
 * bases that its provenance names. Nothing of this machine's store is used, and nothing is kept.
 * @throws {SourceError} as `build`
 */
export async function rebuild(
  { repository, tagOrDigest, provenance, signal }: RebuiltImage,
  input: RebuildInput,
): Promise<Rebuilt> {
  const [asked] = [input.platform ?? []].flat()
  const wanted = asked === undefined ? hostPlatform() : parsePlatform(asked)
  const image = await resolveImage(repository, tagOrDigest, { platform: wanted, signal })
  const expected = image.manifestDescriptor.digest
  const platform = formatPlatform(image.config.platform)
  await using store = storeFor(input)
  await using temporary = store.temporary()
  const dest = join(temporary.path, 'image')
  const compression = compressionIn(image.manifest)
  const result = await build({
    ...input,
    contexts: { ...pinnedBases(provenance, expected), ...input.contexts },
    platform,
    reproducible: true,
    root: join(temporary.path, 'store'),
    outputs: [{ type: 'oci', tar: false, dest, compression }],
  })
  const built = result.digest
  if (built === undefined) throw new Error('an archive has a digest')
  if (built === expected) return { platform, expected, built, differences: [] }
  const source = layoutSource(dest)
  const other = await resolveImage(source, built, { platform: wanted, signal })
  const found = await differencesOf(
    { source: repository, ...image },
    { source, ...other },
    { signal },
  )
  const differences = found.length > 0 ? found : ['the manifests are written in another way']
  return { platform, expected, built, differences }
}

/** Layers that were made here are packed alike; those of the base stay as they are. */
function compressionIn({ layers }: Manifest): LayerCompression {
  const last = layers.at(-1)
  const compression = (last && packedAs(last)) ?? 'gzip'
  return compression === 'none' ? 'uncompressed' : compression
}

/** The names of bases have come to mean others since: each is the one that the image was made of. */
function pinnedBases(provenance: readonly Provenance[], image: Digest): Record<string, string> {
  const materials = provenance.filter((one) => one.image === image).flatMap((one) => one.materials)
  return Object.fromEntries(
    materials.flatMap(({ uri, digests }) => {
      const name = imageName(uri)
      const { sha256 } = digests
      return name === undefined || sha256 === undefined
        ? []
        : [[name, `docker-image://${withoutTag(name)}@sha256:${sha256}`] as const]
    }),
  )
}

function withoutTag(name: string): string {
  const { registry, repository } = parseReference(name)
  return familiarReference({ registry, repository })
}

/** A package URL of an image: `pkg:docker/NAME@TAG?platform=…`. Spec: purl-spec, type docker */
function imageName(uri: string): string | undefined {
  const [, name, tag] = /^pkg:docker\/([^@?#]+)(?:@([^?#]+))?/.exec(uri) ?? []
  if (name === undefined) return undefined
  const version = decodeURIComponent(tag ?? '')
  const separator = version.includes(':') ? '@' : ':'
  return decodeURIComponent(name) + (version === '' ? '' : separator + version)
}
