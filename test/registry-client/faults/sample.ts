import {
  type Bytes,
  type Descriptor,
  type Digest,
  digestOf,
  type EncodedDocument,
  fetchUndamaged,
  MEDIA_TYPES,
  serializeIndex,
  serializeManifest,
  writeGraph,
} from '#core'
import {
  type BlobLayer,
  type CopySink,
  copyImage,
  type PushLayer,
  pushImage,
  type Repository,
  repositorySink,
} from '#registry-client'
import { blobOf, pieces, readAll, someBytes } from '../support.ts'

/** A layer of both images. */
export const SHARED: Buffer = someBytes(150_000, 1)
const STREAMED = someBytes(300_000, 2)
const SMALL = someBytes(700, 3)

/** Two images that share a layer, of which another is made while it is sent; their index has the tag. */
export async function pushSample(repository: Repository, signal: AbortSignal): Promise<Digest> {
  const mediaType = MEDIA_TYPES.ociIndex
  const draft = {
    manifests: [
      draftOf('amd64', [known(SHARED), streamed()]),
      draftOf('arm64', [known(SHARED), known(SMALL)]),
    ],
    index: (manifests: readonly Descriptor[]) => ({
      mediaType,
      bytes: serializeIndex({ mediaType, manifests }),
    }),
  }
  const sink = { ...repositorySink(repository, { tags: ['latest'] }), keyOf }
  const { root } = await writeGraph(draft, sink, { signal })
  await pushSignature(repository, root, signal)
  return root.digest
}

/** What a signature is: an artifact whose subject is the index. */
async function pushSignature(
  repository: Repository,
  subject: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const mediaType = MEDIA_TYPES.ociManifest
  await pushImage(repository, {
    layers: [known(Buffer.from('signature'))],
    config: { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') },
    assemble: (config, layers) => ({
      mediaType,
      bytes: serializeManifest({
        mediaType,
        artifactType: 'application/vnd.test.signature',
        config,
        layers,
        subject,
      }),
    }),
    tags: [],
    signal,
  })
}

/** Everything below the tag, and what refers to it, by digest. */
export async function pullSample(
  repository: Repository,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>()
  const to = memorySink(found)
  const { root } = await copyImage({ from: repository, to }, 'latest', { signal })
  const { descriptors } = await repository.referrers(root.digest, { signal })
  for (const { digest } of descriptors)
    await copyImage({ from: repository, to }, digest, { signal })
  return found
}

function keyOf(layer: PushLayer): string {
  return layer.id
}

function known(bytes: Buffer): BlobLayer {
  const descriptor = blobOf(bytes)
  return { kind: 'blob', id: descriptor.digest, descriptor, open: () => pieces(bytes, 16_384) }
}

function streamed(): PushLayer {
  const open = (): Bytes => pieces(STREAMED, 16_384)
  return { kind: 'stream', id: 'streamed', mediaType: MEDIA_TYPES.ociLayer, open }
}

function draftOf(architecture: string, layers: readonly PushLayer[]) {
  const mediaType = MEDIA_TYPES.ociManifest
  const bytes = Buffer.from(JSON.stringify({ architecture, os: 'linux', rootfs: { diff_ids: [] } }))
  return {
    config: { mediaType: MEDIA_TYPES.ociConfig, bytes },
    layers,
    assemble: (config: Descriptor, parts: readonly Descriptor[]): EncodedDocument => ({
      mediaType,
      bytes: serializeManifest({ mediaType, config, layers: parts }),
    }),
  }
}

/** A target that is the test's memory. */
function memorySink(found: Map<string, Buffer>): CopySink {
  return {
    concurrency: 3,
    putBlob: ({ descriptor, open }) =>
      fetchUndamaged(async () => {
        found.set(descriptor.digest, await readAll(await open()))
      }),
    putManifest: async ({ bytes }) => void found.set(digestOf(bytes), Buffer.from(bytes)),
    name: async () => {},
  }
}
