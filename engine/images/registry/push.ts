import { pushFromStore } from '#builder'
import { type DiffId, type Digest, hexOf, TsbuildError } from '#core'
import { familiarReference, formatReference, type Reference } from '#registry-client'
import { type EngineImage, referencesOf } from '../image/engine-image.ts'
import { joinReference } from '../image/find-image.ts'
import { imageEvent } from '../image/image-events.ts'
import type { Images } from '../images.ts'
import {
  layerMessage,
  type MessageSink,
  messagesOf,
  type ProgressMessage,
  transferMessage,
} from '../progress.ts'
import { pushError } from './registry-failure.ts'
import { credentialsFor } from './request-credentials.ts'
import type { TransferBytes } from './transfer-bytes.ts'

/** The query and the headers of `POST /images/{name}/push`. */
export interface PushQuery {
  readonly name: string
  /** Absent: every tag of the repository. */
  readonly tag?: string | undefined
  /** `os/arch[/variant]` of one image of an index. */
  readonly platform?: string | undefined
  /** `X-Registry-Auth` */
  readonly auth?: string | undefined
  /** Aborts when the client goes away. */
  readonly signal?: AbortSignal | undefined
}

/** Pushes one image, or all of a repository. @throws {TsbuildError} USAGE, before the first message */
export function pushImage(images: Images, query: PushQuery): AsyncIterable<ProgressMessage> {
  const reference = joinReference(query.name, query.tag)
  if (reference.digest !== undefined) {
    throw new TsbuildError('cannot push a digest reference', { code: 'USAGE' })
  }
  const { registry, repository } = reference
  const credentials = credentialsFor(registry, query.auth)
  return messagesOf(
    async (sink, signal) => {
      sink.send({ status: `The push refers to repository [${registry}/${repository}]` })
      for (const [one, image] of await imagesToPush(images, reference)) {
        const progress = new PushProgress(sink, image)
        const { descriptor } = await pushFromStore({
          ...images.options.network,
          root: images.options.root,
          name: formatReference(one),
          ...(query.platform === undefined ? {} : { platform: query.platform }),
          // As docker does, which knows of no other owners than those that it is told.
          ignoreChownErrors: true,
          credentials,
          onProgress: ({ id, ...bytes }) => progress.layer(id as Digest | DiffId, bytes),
          signal,
        }).catch((cause: unknown) => {
          throw pushError(cause, one, credentials)
        })
        const { digest: Digest, size: Size } = descriptor
        const Tag = one.tag ?? ''
        sink.send({ status: `${Tag}: digest: ${Digest} size: ${Size}` })
        sink.send({ progressDetail: {}, aux: { Tag, Digest, Size } })
        const name = familiarReference({ registry, repository })
        images.options.events.emit({
          ...imageEvent('push', image, name),
          id: familiarReference(one),
        })
      }
    },
    { signal: query.signal },
  )
}

type Pushed = readonly [reference: Reference, image: EngineImage]

async function imagesToPush(images: Images, reference: Reference): Promise<readonly Pushed[]> {
  const { registry, repository, tag } = reference
  const tagged = await images.using((_, all) =>
    all.flatMap((image) =>
      referencesOf(image).flatMap((one): readonly Pushed[] => {
        const isOfIt = one.registry === registry && one.repository === repository
        return isOfIt && one.tag !== undefined && one.digest === undefined ? [[one, image]] : []
      }),
    ),
  )
  const found = tagged.filter(([one]) => tag === undefined || one.tag === tag)
  if (found.length > 0) return found
  const name = familiarReference({ registry, repository })
  const message =
    tagged.length === 0
      ? `An image does not exist locally with the tag: ${name}`
      : `tag does not exist: ${familiarReference(reference)}`
  throw new TsbuildError(message, { code: 'NOT_FOUND' })
}

/** Says of the layers of an image what docker says of them: by their diffIDs, whatever they are packed to. */
class PushProgress {
  readonly #sink: MessageSink
  /** What layers are called, by the ids of their transfers. */
  readonly #names = new Map<string, string>()
  readonly #ended = new Set<string>()

  constructor(sink: MessageSink, { config, manifest }: EngineImage) {
    this.#sink = sink
    for (const [position, diffId] of config.diffIds.entries()) {
      const name = hexOf(diffId).slice(0, 12)
      const blob = manifest.layers[position]
      this.#names.set(diffId, name)
      if (blob !== undefined) this.#names.set(blob.digest, name)
    }
    for (const name of [...new Set(this.#names.values())].reverse()) {
      sink.send(layerMessage('Preparing', name))
    }
  }

  layer(id: Digest | DiffId, { current, total, done, note, from }: TransferBytes): void {
    const name = this.#names.get(id)
    if (name === undefined || this.#ended.has(name)) return
    if (!done) {
      this.#sink.send(transferMessage('Pushing', name, { current, total }))
      return
    }
    this.#ended.add(name)
    const unsent = from === undefined ? 'Layer already exists' : `Mounted from ${from}`
    this.#sink.send(layerMessage(note === undefined ? 'Pushed' : unsent, name))
  }
}
