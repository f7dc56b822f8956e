/**
 * Loading into a docker daemon. An image that it has is not sent, and of another one only what it lacks:
 * an archive without layers is sent first, and what the daemon says of it names the first missing one.
 * One store refuses an archive that lacks a layer. The other one, containerd's, takes it without a word,
 * so that an image is named only when the daemon has said that all of it is there. See ADR 63.
 */
import { type Digest, hexOf, readDocument, shapes, TsbuildError } from '#core'
import { familiarReference, formatReference, type PushProgress } from '#registry-client'
import type { DockerApi } from './docker-api.ts'
import { writeImageArchive } from './image-archive.ts'
import type { Offer, OfferedImage, OfferedLayer } from './offer.ts'

/** How an image is loaded. */
export interface LoadOptions {
  readonly onProgress: (progress: PushProgress) => void
  readonly signal: AbortSignal | undefined
}

/** What a daemon has of an image. */
type Presence =
  | { readonly kind: 'whole'; readonly id: Digest; readonly names: readonly string[] }
  | { readonly kind: 'partial'; readonly complete: ReadonlySet<Digest> }
  /** Its name is there, and the daemon cannot say whether its layers are. */
  | { readonly kind: 'unproven'; readonly id: Digest; readonly names: readonly string[] }
  | { readonly kind: 'none' }

const { any, boolean, list, object, string } = shapes

/** Spec: Docker Engine API 1.48, `GET /images/{name}/json` */
const IMAGE = object({
  Id: string,
  RepoTags: list(string),
  Descriptor: any,
  Manifests: list(object({ ID: string, Available: boolean })),
})

/**
 * Loads an image, and names it when all of it is there.
 * @throws {TsbuildError} PERMISSION_DENIED; IO_FAILED for a daemon that does not answer, refuses the image, or loses it
 */
export async function loadIntoDocker(
  offer: Offer,
  api: DockerApi,
  options: LoadOptions,
): Promise<void> {
  const run = new Load(offer, api, options)
  const found = await run.find()
  const whole = found.kind === 'whole' ? found : await run.send()
  await run.name(whole)
}

class Load {
  readonly #offer: Offer
  readonly #api: DockerApi
  readonly #options: LoadOptions

  constructor(offer: Offer, api: DockerApi, options: LoadOptions) {
    this.#offer = offer
    this.#api = api
    this.#options = options
  }

  /** The store of containerd knows an image by its manifest or index, the other one by its config. */
  async find(): Promise<Presence> {
    const { root, local } = this.#offer
    const stored = await this.#inspect(`${root.digest}/json?manifests=1`)
    const names = stored?.RepoTags ?? []
    if (stored !== undefined) {
      const id = root.digest
      const { Manifests: manifests } = stored
      if (manifests === undefined) return { kind: 'unproven', id, names }
      const complete = manifests.flatMap(({ ID, Available }) =>
        Available === true ? (ID ?? []) : [],
      )
      if (complete.length === manifests.length) return { kind: 'whole', id, names }
      return { kind: 'partial', complete: new Set(complete as Digest[]) }
    }
    const id = local.config.digest
    const image = await this.#inspect(`${id}/json`)
    const isKnown = image?.Descriptor === undefined && image?.Id === id
    return isKnown ? { kind: 'whole', id, names: image.RepoTags ?? [] } : { kind: 'none' }
  }

  /** Sends what is missing, or all of it where that does not do. */
  async send(): Promise<Extract<Presence, { kind: 'whole' | 'unproven' }>> {
    const all = new Set(this.#offer.images.flatMap(({ layers }) => layers))
    const said = await this.#load(new Set())
    const probed = await this.find()
    if (probed.kind === 'whole') return probed
    const missing = probed.kind === 'unproven' ? all : this.#missing(said, probed)
    if (missing.size < all.size) {
      await this.#load(missing)
      const found = await this.find()
      if (found.kind === 'whole') return found
    }
    const answer = await this.#load(all)
    const found = await this.find()
    if (found.kind === 'whole' || found.kind === 'unproven') return found
    throw new TsbuildError(`load into ${this.#api.name}: ${reasonIn(answer)}`, {
      code: 'IO_FAILED',
      hint: 'the reason is what the daemon says; its log may say more',
    })
  }

  /** The image gets the names that it does not have yet. */
  async name({ id, names }: { id: Digest; names: readonly string[] }): Promise<void> {
    const known = new Set(names)
    for (const reference of this.#offer.names) {
      if (known.has(familiarReference(reference)) || known.has(formatReference(reference))) continue
      const { registry, repository, tag = '' } = reference
      const query = new URLSearchParams({ repo: `${registry}/${repository}`, tag })
      const path = `/images/${id}/tag?${query}`
      const { status, text } = await this.#api.send({ method: 'POST', path, ...this.#options })
      if (status === 201) continue
      const name = familiarReference(reference)
      throw refusedError(`name the image ${name} in ${this.#api.name}`, text)
    }
  }

  async #inspect(path: string): Promise<ReturnType<typeof readImage> | undefined> {
    const request = {
      method: 'GET',
      path: `/images/${path}`,
      signal: this.#options.signal,
    } as const
    const { status, text } = await this.#api.send(request)
    if (status === 404) return undefined
    if (status !== 200) throw refusedError(`ask ${this.#api.name} for an image`, text)
    return readImage(text)
  }

  /** @returns what the daemon says, also when it refuses the archive */
  async #load(layers: ReadonlySet<OfferedLayer>): Promise<string> {
    const { onProgress, signal } = this.#options
    const onBytes = ({ descriptor }: OfferedLayer, current: number): void => {
      const { digest: id, size: total } = descriptor
      onProgress({ id, current, total, done: current === total })
    }
    const { text } = await this.#api.send({
      method: 'POST',
      path: '/images/load?quiet=1',
      archive: (sink) => writeImageArchive(sink, this.#offer, { layers, onBytes, signal }),
      signal,
    })
    return text
  }

  /** Layers from the first one on that the daemon has named, of each image that it does not have. */
  #missing(said: string, found: Presence): ReadonlySet<OfferedLayer> {
    const complete = found.kind === 'partial' ? found.complete : new Set<Digest>()
    const missing = this.#offer.images
      .filter(({ manifest }) => !complete.has(manifest.digest))
      .flatMap((image) => image.layers.slice(Math.max(firstNamed(image, said), 0)))
    return new Set(missing)
  }
}

/** The position of the first layer that a message is about; -1: of none. */
function firstNamed({ layers }: OfferedImage, said: string): number {
  return layers.findIndex(({ descriptor, diffId }) => {
    return said.includes(hexOf(descriptor.digest)) || said.includes(hexOf(diffId))
  })
}

function readImage(text: string): {
  readonly Id?: string
  readonly RepoTags?: readonly string[]
  readonly Descriptor?: unknown
  readonly Manifests?: readonly { readonly ID?: string; readonly Available?: boolean }[]
} {
  return readDocument(Buffer.from(text), IMAGE, {
    what: 'what docker says of an image',
    code: 'IO_FAILED',
  })
}

/** The last message of a stream of them that is about a failure. */
function reasonIn(answer: string): string {
  const messages = answer.split('\n').flatMap((line) => messageOf(line))
  return messages.at(-1) ?? 'it does not have the whole image afterwards'
}

function refusedError(doing: string, answer: string): TsbuildError {
  const reason = messageOf(answer)[0] ?? answer.slice(0, 200)
  return new TsbuildError(`${doing}: ${reason}`, { code: 'IO_FAILED' })
}

const MESSAGE = object({ error: string, message: string, stream: string })

function messageOf(line: string): readonly string[] {
  try {
    const found = readDocument(Buffer.from(line), MESSAGE, { what: 'answer', code: 'IO_FAILED' })
    const { error, message, stream } = found
    const text = error ?? message ?? (stream?.startsWith('Error') === true ? stream : undefined)
    return text === undefined ? [] : [text.trim()]
  } catch (cause) {
    if (cause instanceof TsbuildError) return []
    throw cause
  }
}
