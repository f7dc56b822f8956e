import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Fetcher, parseHttpSource } from '#builder/fetch'
import { decompress, TarReader } from '#builder/layer'
import { changedConfig } from '#builder/plan'
import type { Store } from '#cache'
import {
  asDiffId,
  type Bytes,
  type ContainerConfig,
  type Descriptor,
  Digester,
  hostPlatform,
  MEDIA_TYPES,
  parsePlatform,
  serializeImageConfig,
  serializeManifest,
  TsbuildError,
  throwIfCancelled,
  withoutCredentials,
} from '#core'
import { withTagTime } from '#engine/model'
import {
  familiarReference,
  formatReference,
  type Reference,
  withDefaultTag,
} from '#registry-client'
import { joinReference } from '../image/find-image.ts'
import type { Images } from '../images.ts'
import { type MessageSink, messagesOf, type ProgressMessage, transferMessage } from '../progress.ts'

/** The body and the query of `POST /images/create` with `fromSrc`. */
export interface ImportRequest {
  /** `-`: the body. Else a URL. */
  readonly source: string
  readonly body: Bytes
  /** Absent: the image has no name. */
  readonly repository: string | undefined
  readonly tag: string | undefined
  readonly message: string | undefined
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[]
  readonly platform: string | undefined
  /** Aborts when the client goes away. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes an image of one layer: the files of a tar, which may be packed.
 * @throws {TsbuildError} USAGE, LAYER_INVALID and others, before the first message
 */
export function importImage(
  images: Images,
  request: ImportRequest,
): AsyncIterable<ProgressMessage> {
  const { source, repository, tag } = request
  const reference =
    repository === undefined ? undefined : withDefaultTag(joinReference(repository, tag))
  return messagesOf(
    async (sink, signal) => {
      const config = changedConfig({}, request.changes)
      const id = await images.using(async (store) => {
        const bytes =
          source === '-' ? request.body : await download(source, { store, sink, signal })
        const layer = await storeLayer(store, bytes, signal)
        return await storeImage(store, { layer, config, reference, request })
      })
      const { events } = images.options
      if (reference !== undefined) {
        const attributes = { ...config.Labels, name: familiarReference(reference) }
        events.emit({ Type: 'image', Action: 'tag', id, attributes })
      }
      const attributes = { ...config.Labels, name: id }
      events.emit({ Type: 'image', Action: 'import', id, attributes })
      sink.send({ status: id })
    },
    { signal: request.signal },
  )
}

interface DownloadDeps {
  readonly store: Store
  readonly sink: MessageSink
  readonly signal: AbortSignal
}

/** The bytes of a URL, once all of them are here. */
async function download(source: string, { store, sink, signal }: DownloadDeps): Promise<Bytes> {
  const text = source.includes('://') ? source : `http://${source}`
  const isUrl = /^https?:\/\/[^/]/i.test(text) && URL.canParse(text)
  const remote = isUrl ? parseHttpSource(text) : undefined
  if (remote === undefined) {
    throw new TsbuildError(`invalid source ${JSON.stringify(withoutCredentials(source))}`, {
      code: 'USAGE',
    })
  }
  sink.send({ status: `Downloading from ${withoutCredentials(text)}` })
  await using fetcher = new Fetcher({ store, environment: process.env })
  const file = await fetcher.fetchHttp(remote, {
    signal,
    onProgress: (current, total) => sink.send(transferMessage('Importing', '', { current, total })),
  })
  return createReadStream(join(file.directory, file.name))
}

/** Puts a tar into the store as a layer, unpacked. */
async function storeLayer(store: Store, bytes: Bytes, signal: AbortSignal): Promise<Descriptor> {
  await using temporary = store.temporary()
  const path = join(temporary.path, 'layer')
  const digester = new Digester()
  const reader = new TarReader({
    entry: () => undefined,
    content: () => undefined,
    hole: () => undefined,
    end: () => undefined,
  })
  {
    await using file = await open(path, 'wx', 0o600)
    for await (const chunk of decompress(bytes, 'detect', { name: 'the archive' })) {
      throwIfCancelled(signal, 'import an image')
      readTar(() => reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
      digester.update(chunk)
      await file.writeFile(chunk)
    }
  }
  readTar(() => reader.end())
  const digest = digester.digest()
  await store.blobs.adopt(path, digest, digester.size)
  store.layers.register({ diffId: asDiffId(digest), size: digester.size })
  return { mediaType: MEDIA_TYPES.ociLayer, digest, size: digester.size }
}

function readTar(read: () => void): void {
  try {
    read()
  } catch (cause) {
    throw new TsbuildError('the archive is not a tar, or it is damaged', {
      code: 'LAYER_INVALID',
      cause,
    })
  }
}

interface ImportedImage {
  readonly layer: Descriptor
  readonly config: ContainerConfig
  readonly reference: Reference | undefined
  readonly request: ImportRequest
}

/** @returns the id of the image */
async function storeImage(
  store: Store,
  { layer, config, reference, request }: ImportedImage,
): Promise<string> {
  const created = new Date().toISOString()
  const comment = request.message ?? `Imported from ${request.source}`
  const { platform } = request
  const bytes = serializeImageConfig({
    platform: platform === undefined ? hostPlatform() : parsePlatform(platform),
    ...{ created, config, diffIds: [asDiffId(layer.digest)] },
    history: [{ created, comment }],
  })
  const described = await store.blobs.putBytes(MEDIA_TYPES.ociConfig, bytes)
  const mediaType = MEDIA_TYPES.ociManifest
  const manifest = serializeManifest({ mediaType, config: described, layers: [layer] })
  const target = await store.blobs.putBytes(mediaType, manifest)
  if (reference === undefined) await store.images.keep(target)
  else {
    const named = withTagTime(target)
    await store.images.set(formatReference(reference), named, { replaced: 'kept' })
  }
  return described.digest
}
