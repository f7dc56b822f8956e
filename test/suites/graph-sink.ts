import assert from 'node:assert/strict'
import {
  type Descriptor,
  type Digest,
  digestOf,
  type GraphDraft,
  type GraphSink,
  type ManifestDraft,
  MEDIA_TYPES,
  parseIndex,
  serializeIndex,
  serializeManifest,
  writeGraph,
} from '#core'
import { parseManifest } from '../support/manifest/index.ts'

/** A sink, and what the suite has to know of where it leads. */
export interface TestedSink<L> {
  readonly sink: GraphSink<L>
  /** Three layers with different content. */
  readonly layers: readonly [L, L, L]
  /** A layer that cannot be read. */
  readonly broken: L
  /** Ends what is written, where that has an end. */
  finish(): Promise<void>
  /** The blob or document of this digest, when it is there. */
  read(digest: Digest): Promise<Buffer | undefined>
  /** What has a name now. */
  named(): Promise<readonly Digest[]>
}

/** What every sink of graphs must do. Each implementation's test file calls this once. */
export function graphSinkSuite<L>(
  name: string,
  use: (test: (tested: TestedSink<L>) => Promise<void>) => Promise<void>,
): void {
  describe(`graph sink: ${name}`, () => {
    it('holds a manifest with all of its parts, under its name', () =>
      use(async ({ sink, layers, read, named, finish }) => {
        const { root, manifests } = await writeGraph(graphOf([layers]), sink)
        await finish()
        const manifest = parseManifest(await present(root, read), root.mediaType)
        assert.deepEqual(manifest.layers, manifests[0].layers)
        assert.equal(manifest.layers.length, 3)
        for (const part of [manifest.config, ...manifest.layers]) await present(part, read)
        assert.ok((await named()).includes(root.digest))
      }))

    it('holds an index with its manifests, and a layer of several once', () =>
      use(async ({ sink, layers: [first, second, third], read, named, finish }) => {
        const put: L[] = []
        const watched: GraphSink<L> = {
          ...sink,
          putLayer: (layer, options) => {
            put.push(layer)
            return sink.putLayer(layer, options)
          },
        }
        const draft = graphOf([
          [first, second, first],
          [first, third],
        ])
        const { root, manifests } = await writeGraph({ ...draft, index: indexOf }, watched)
        await finish()
        assert.deepEqual(put, [first, second, third])
        const listed = parseIndex(await present(root, read)).manifests
        assert.deepEqual(
          listed.map(({ digest }) => digest),
          manifests.map(({ descriptor }) => descriptor.digest),
        )
        for (const one of listed) await present(one, read)
        assert.ok((await named()).includes(root.digest))
      }))

    it('holds what is said about manifests, which an index lists after them', () =>
      use(async ({ sink, layers: [first, second, third], read, finish }) => {
        const seen: Digest[] = []
        const { root } = await writeGraph(
          {
            ...graphOf([[first], [second]]),
            about: (written) => {
              seen.push(...written.map(({ descriptor }) => descriptor.digest))
              return written.map(() => draftOf([third], 2))
            },
            index: indexOf,
          },
          sink,
        )
        await finish()
        const listed = parseIndex(await present(root, read)).manifests
        assert.equal(listed.length, 4)
        assert.deepEqual(
          listed.slice(0, 2).map(({ digest }) => digest),
          seen,
        )
        for (const one of listed) {
          const { config, layers } = parseManifest(await present(one, read), one.mediaType)
          for (const part of [config, ...layers]) await present(part, read)
        }
      }))

    it('names nothing when a layer cannot be read', () =>
      use(async ({ sink, layers: [first], broken, named }) => {
        await assert.rejects(writeGraph(graphOf([[first, broken]]), sink), { code: 'NOT_FOUND' })
        assert.deepEqual(await named(), [])
      }))

    it('names nothing when it is cancelled', () =>
      use(async ({ sink, layers, named }) => {
        const stop = new AbortController()
        const stopping: GraphSink<L> = {
          ...sink,
          putManifest: async (...given) => {
            stop.abort()
            return sink.putManifest(...given)
          },
        }
        const { signal } = stop
        await assert.rejects(writeGraph(graphOf([layers]), stopping, { signal }), {
          code: 'CANCELLED',
        })
        assert.deepEqual(await named(), [])
      }))
  })
}

async function present<L>(
  { digest, size }: Descriptor,
  read: TestedSink<L>['read'],
): Promise<Buffer> {
  const bytes = await read(digest)
  assert.ok(bytes !== undefined, `${digest} is not there`)
  assert.equal(bytes.length, size)
  assert.equal(digestOf(bytes), digest)
  return bytes
}

/** A graph with a manifest for each list of layers, the first of which is its root. */
function graphOf<L>(images: readonly (readonly L[])[]): GraphDraft<L> {
  return { manifests: images.map(draftOf), index: undefined }
}

function draftOf<L>(layers: readonly L[], index: number): ManifestDraft<L> {
  const bytes = Buffer.from(JSON.stringify({ architecture: `a${index}`, os: 'linux' }))
  const mediaType = MEDIA_TYPES.ociManifest
  return {
    config: { mediaType: MEDIA_TYPES.ociConfig, bytes },
    layers,
    assemble: (config, descriptors) => ({
      mediaType,
      bytes: serializeManifest({ mediaType, config, layers: descriptors }),
    }),
  }
}

function indexOf(manifests: readonly Descriptor[]): ReturnType<ManifestDraft<unknown>['assemble']> {
  const mediaType = MEDIA_TYPES.ociIndex
  return { mediaType, bytes: serializeIndex({ mediaType, manifests }) }
}
