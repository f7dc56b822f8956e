import { type PulledImage, pullImages } from '#builder'
import type { Store } from '#cache'
import {
  type Descriptor,
  type Digest,
  isIndexType,
  parseManifestOrIndex,
  shortDigest,
  TsbuildError,
} from '#core'
import {
  type FetchedManifest,
  familiarReference,
  formatReference,
  type Reference,
} from '#registry-client'
import { joinReference } from '../image/find-image.ts'
import type { Images } from '../images.ts'
import {
  layerMessage,
  type MessageSink,
  messagesOf,
  type ProgressMessage,
  transferMessage,
} from '../progress.ts'
import { pullError } from './registry-failure.ts'
import { credentialsFor } from './request-credentials.ts'
import type { TransferBytes } from './transfer-bytes.ts'

/** The query and the headers of `POST /images/create`. */
export interface PullQuery {
  /** `fromImage` */
  readonly image: string
  /** A tag or a digest; without either all tags of the repository are meant. */
  readonly tag?: string | undefined
  /** `os/arch[/variant]` */
  readonly platform?: string | undefined
  /** `X-Registry-Auth` */
  readonly auth?: string | undefined
  /** Aborts when the client goes away. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Pulls one image, or all of a repository.
 * @throws {TsbuildError} USAGE, NOT_FOUND and registry failures, before the first message
 */
export function pullImage(images: Images, query: PullQuery): AsyncIterable<ProgressMessage> {
  // Docker's clients write the colon in front of no tag.
  const reference = joinReference(query.image.replace(/:$/, ''), query.tag)
  const { registry, repository, tag, digest } = reference
  if (familiarReference({ registry, repository }) === 'scratch') {
    throw new TsbuildError("'scratch' is a reserved name", { code: 'PERMISSION_DENIED' })
  }
  const credentials = credentialsFor(registry, query.auth)
  return messagesOf(
    async (sink, signal) => {
      const progress = new PullProgress(sink)
      const pulled: PulledImage[] = []
      try {
        await pullImages({
          ...images.options.network,
          root: images.options.root,
          name: familiarReference(reference),
          platform: query.platform,
          allTags: tag === undefined && digest === undefined,
          replaced: 'kept',
          credentials,
          signal,
          watch: {
            fetched: (one, document, store) => progress.fetched(one, document, store),
            progress: ({ id, ...bytes }) => progress.layer(id as Digest, bytes),
            pulled: (image) => {
              sink.send({ status: `Digest: ${image.named.digest}` })
              pulled.push(image)
              progress.end()
            },
          },
        })
      } catch (cause) {
        throw pullError(cause, reference, credentials)
      }
      const isNew = pulled.some(({ isUnchanged }) => !isUnchanged)
      const what = isNew ? 'Downloaded newer image for' : 'Image is up to date for'
      sink.send({ status: `Status: ${what} ${familiarReference(reference)}` })
      for (const { name, descriptor } of pulled) await reportPull(images, name, descriptor)
    },
    { signal: query.signal },
  )
}

async function reportPull(images: Images, name: string, descriptor: Descriptor): Promise<void> {
  const text = familiarReference(joinReference(name, undefined))
  await images.using((_, all) => {
    const image = all.find(({ entries }) => {
      return entries.some((one) => one.descriptor.digest === descriptor.digest)
    })
    const attributes = { ...image?.config.config.Labels, name: familiarName(text) }
    images.options.events.emit({ Type: 'image', Action: 'pull', id: text, attributes })
  })
}

/** Without tag and digest. */
function familiarName(text: string): string {
  const { registry, repository } = joinReference(text, undefined)
  return familiarReference({ registry, repository })
}

/** Says of the layers of an image what docker says of them. */
class PullProgress {
  readonly #sink: MessageSink
  readonly #layers = new Set<Digest>()
  readonly #ended = new Set<Digest>()
  #isBegun = false

  constructor(sink: MessageSink) {
    this.#sink = sink
  }

  /** The name is known to lead somewhere once a document of it is there. */
  fetched(reference: Reference, { descriptor, bytes }: FetchedManifest, { blobs }: Store): void {
    if (!this.#isBegun) this.#begin(reference)
    // Of an image that is here, nothing is said of layers.
    if (isIndexType(descriptor.mediaType) || blobs.stat(descriptor.digest) !== undefined) return
    const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
    if (parsed.kind === 'index') return
    for (const { digest } of parsed.manifest.layers) {
      if (this.#layers.has(digest)) continue
      this.#layers.add(digest)
      if (blobs.stat(digest) === undefined) {
        this.#sink.send(layerMessage('Pulling fs layer', shortDigest(digest)))
      }
    }
  }

  layer(digest: Digest, { current, total, done, note }: TransferBytes): void {
    // Its config is no layer.
    if (!this.#layers.has(digest) || this.#ended.has(digest)) return
    const id = shortDigest(digest)
    if (!done) {
      this.#sink.send(transferMessage('Downloading', id, { current, total }))
      return
    }
    this.#ended.add(digest)
    const states =
      note === 'exists'
        ? ['Already exists']
        : ['Verifying Checksum', 'Download complete', 'Pull complete']
    for (const state of states) this.#sink.send(layerMessage(state, id))
  }

  /** The next image of a repository may begin. */
  end(): void {
    this.#isBegun = false
  }

  /** Docker names the repository without its registry, and a digest with both. */
  #begin(reference: Reference): void {
    const { repository, tag = '', digest } = reference
    const id = digest === undefined ? tag : formatReference(reference)
    this.#sink.send({ status: `Pulling from ${repository}`, id })
    this.#isBegun = true
  }
}
