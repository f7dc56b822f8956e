import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Descriptor,
  digestOf,
  type Manifest,
  MEDIA_TYPES,
  parseManifestOrIndex,
  serializeIndex,
  serializeManifest,
} from '#core'
import { createRegistryClient, type RegistryClient, type Repository } from '#registry-client'
import { TestTiming } from '../../support/http/index.ts'
import type { MemoryRegistry } from '../../support/registry/index.ts'

export const NAME = 'team/app'

export function clientOf(): RegistryClient {
  const get = async (): Promise<undefined> => undefined
  const set = (): Promise<never> => Promise.reject(new Error('nothing is stored in tests'))
  const credentials = { get, set, erase: async () => false }
  return createRegistryClient({ credentials, timing: new TestTiming() })
}

export function repositoryAt(client: RegistryClient, host: string): Repository {
  return client.repository({ registry: host, repository: NAME })
}

export interface Stored {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

/** An image of one layer, in the registry; another text is another image. */
export function addImage(registry: MemoryRegistry, text = 'layer'): Stored {
  const layer = registry.addBlob(NAME, Buffer.from(text), MEDIA_TYPES.ociLayer)
  const configBytes = Buffer.from(JSON.stringify({ rootfs: { diff_ids: [layer.digest] } }))
  const config = registry.addBlob(NAME, configBytes, MEDIA_TYPES.ociConfig)
  return addManifest(registry, { config, layers: [layer] })
}

export function addManifest(
  registry: MemoryRegistry,
  manifest: Omit<Manifest, 'mediaType'>,
): Stored {
  const mediaType = MEDIA_TYPES.ociManifest
  return stored(registry, mediaType, serializeManifest({ mediaType, ...manifest }))
}

export function addIndex(registry: MemoryRegistry, manifests: readonly Descriptor[]): Stored {
  const mediaType = MEDIA_TYPES.ociIndex
  return stored(registry, mediaType, serializeIndex({ mediaType, manifests }))
}

function stored(registry: MemoryRegistry, mediaType: string, bytes: Buffer): Stored {
  const digest = digestOf(bytes)
  registry.addManifest(NAME, digest, { mediaType, bytes })
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
}

/** Stands before a registry and lists the referrers that come through it. Spec: distribution-spec v1.1 */
export class ReferrersFront implements AsyncDisposable {
  readonly #referrers = new Map<string, Descriptor[]>()
  readonly #server = createServer((incoming, response) => this.#handle(incoming, response))
  readonly #registry: MemoryRegistry

  private constructor(registry: MemoryRegistry) {
    this.#registry = registry
  }

  static async start(registry: MemoryRegistry): Promise<ReferrersFront> {
    const front = new ReferrersFront(registry)
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve))
    return front
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #handle(incoming: IncomingMessage, response: ServerResponse): void {
    const { method, url = '', headers } = incoming
    const subject = /\/referrers\/(sha256:[0-9a-f]{64})/.exec(url)?.[1]
    if (subject !== undefined) {
      const manifests = this.#referrers.get(subject) ?? []
      const mediaType = MEDIA_TYPES.ociIndex
      response.setHeader('content-type', mediaType)
      response.end(serializeIndex({ mediaType, manifests }))
      return
    }
    const chunks: Buffer[] = []
    const onward = request(`${this.#registry.origin}${url}`, { method, headers }, (answer) => {
      if (method === 'PUT' && url.includes('/manifests/')) this.#note(Buffer.concat(chunks))
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).pipe(onward)
  }

  #note(bytes: Buffer): void {
    const parsed = parseManifestOrIndex(bytes, MEDIA_TYPES.ociManifest)
    if (parsed.kind !== 'manifest' || parsed.manifest.subject === undefined) return
    const { subject, artifactType = '', annotations = {} } = parsed.manifest
    const mediaType = MEDIA_TYPES.ociManifest
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
    const known = this.#referrers.get(subject.digest) ?? []
    this.#referrers.set(subject.digest, [...known, { ...descriptor, artifactType, annotations }])
  }
}
