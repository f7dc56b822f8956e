import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import tar from 'tar-stream'
import { openStore, type Store } from '#cache'
import {
  asDiffId,
  type Descriptor,
  type Digest,
  digestOf,
  hexOf,
  MEDIA_TYPES,
  parseIndex,
} from '#core'
import { createRegistryClient } from '#registry-client'
import {
  type ArchiveWriter,
  directoryWriter,
  tarWriter,
} from '../../../builder/export/archive/archive-writer.ts'
import type { ImageLayer } from '../../../builder/export/layers/image-layer.ts'
import { layoutSink } from '../../../builder/export/layout-sink.ts'
import { registrySink } from '../../../builder/export/registry-sink.ts'
import { storeSink } from '../../../builder/export/store-sink.ts'
import { NO_CREDENTIALS } from '../../suites/cache-shelf.ts'
import { graphSinkSuite, type TestedSink } from '../../suites/graph-sink.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'

type Test = (tested: TestedSink<ImageLayer>) => Promise<void>
type Layers = Pick<TestedSink<ImageLayer>, 'layers' | 'broken'>

async function withStore(use: (store: Store, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tsbuild-sinks-'))
  try {
    await using store = openStore(join(folder, 'store'))
    await use(store, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function layerOf(bytes: Buffer): ImageLayer {
  const diffId = asDiffId(digestOf(bytes))
  return { diffId, size: bytes.length, blob: undefined, origin: undefined }
}

async function layersIn(store: Store): Promise<Layers> {
  const put = async (text: string): Promise<ImageLayer> => {
    const bytes = Buffer.from(text.repeat(1000))
    await store.blobs.putBytes(MEDIA_TYPES.ociLayer, bytes)
    return layerOf(bytes)
  }
  const layers = [await put('one'), await put('two'), await put('three')] as const
  return { layers, broken: layerOf(Buffer.from('missing')) }
}

graphSinkSuite<ImageLayer>('store', (test) =>
  withStore(async (store) => {
    await test({
      ...(await layersIn(store)),
      sink: storeSink(store, { names: () => ['docker.io/library/app:1'], registries: new Set() }),
      finish: async () => undefined,
      read: async (digest) => {
        const size = store.blobs.stat(digest)
        return size === undefined ? undefined : readFileSync(store.blobs.path(digest))
      },
      named: async () => store.images.list().map(({ descriptor }) => descriptor.digest),
    })
  }),
)

graphSinkSuite<ImageLayer>('registry', (test) =>
  withStore(async (store) => {
    const registry = await MemoryRegistry.start()
    await using client = createRegistryClient({ credentials: NO_CREDENTIALS })
    const repository = client.repository({ registry: registry.host, repository: 'app' })
    try {
      await test({
        ...(await layersIn(store)),
        sink: registrySink(repository, {
          store,
          early: undefined,
          compression: 'gzip',
          tags: ['1'],
          onProgress: () => undefined,
        }),
        finish: async () => undefined,
        read: async (digest) =>
          registry.blob('app', digest) ?? registry.manifest('app', digest)?.bytes,
        named: async () => {
          const tagged = registry.manifest('app', '1')
          return tagged === undefined ? [] : [digestOf(tagged.bytes)]
        },
      })
    } finally {
      await registry.close()
    }
  }),
)

/** What the files of a layout hold once it is finished. */
async function testLayout(
  test: Test,
  store: Store,
  { writer, files }: { writer: ArchiveWriter; files: () => Promise<ReadonlyMap<string, Buffer>> },
): Promise<void> {
  await using temporary = store.temporary()
  const options = { store, early: undefined, compression: 'gzip' } as const
  const layout = { ...options, format: 'docker', platform: undefined } as const
  const describe = (root: Descriptor): Descriptor => root
  await test({
    ...(await layersIn(store)),
    sink: layoutSink(writer, {
      ...layout,
      names: ['docker.io/library/app:1'],
      describe,
      temporary,
    }),
    finish: () => writer.finish(),
    read: async (digest: Digest) => (await files()).get(`blobs/sha256/${hexOf(digest)}`),
    named: async () => {
      const index = (await files()).get('index.json')
      return index === undefined ? [] : parseIndex(index).manifests.map(({ digest }) => digest)
    },
  })
}

graphSinkSuite<ImageLayer>('layout in a folder', (test) =>
  withStore(async (store, folder) => {
    const layout = join(folder, 'layout')
    const read = (path: string): Buffer | undefined => {
      try {
        return readFileSync(join(layout, path))
      } catch {
        return undefined
      }
    }
    const files = async (): Promise<ReadonlyMap<string, Buffer>> =>
      ({ get: read }) as ReadonlyMap<string, Buffer>
    await testLayout(test, store, { writer: directoryWriter(layout), files })
  }),
)

graphSinkSuite<ImageLayer>('layout in a tar', (test) =>
  withStore(async (store, folder) => {
    const archive = join(folder, 'layout.tar')
    const files = async (): Promise<ReadonlyMap<string, Buffer>> => {
      const found = new Map<string, Buffer>()
      const extract = tar.extract()
      try {
        extract.end(readFileSync(archive))
      } catch {
        return found
      }
      for await (const entry of extract) found.set(entry.header.name, await buffer(entry))
      return found
    }
    await using writer = await tarWriter(archive)
    await testLayout(test, store, { writer, files })
  }),
)
