import {
  type Bytes,
  type Descriptor,
  digestOf,
  type ImageConfig,
  type Index,
  MEDIA_TYPES,
  type Platform,
  parseDiffId,
  serializeImageConfig,
  serializeIndex,
  serializeManifest,
} from '#core'
import {
  type CredentialStore,
  type Credentials,
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
  type Repository,
} from '#registry-client'
import { TestTiming } from '../support/http/index.ts'
import type { MemoryRegistry } from '../support/registry/index.ts'

export const AMD64: Platform = { os: 'linux', architecture: 'amd64' }
export const ARM64: Platform = { os: 'linux', architecture: 'arm64' }

/** A store that knows one answer for every registry. */
export function fixedCredentials(credentials?: Credentials): CredentialStore {
  return {
    get: async () => credentials,
    set: () => Promise.reject(new Error('nothing is stored in tests')),
    erase: async () => false,
  }
}

export const ALICE: Extract<Credentials, { kind: 'password' }> = {
  kind: 'password',
  username: 'alice',
  password: 'open-sesame',
}

export function clientFor(options: Partial<RegistryClientOptions> = {}): RegistryClient {
  return createRegistryClient({
    credentials: fixedCredentials(),
    timing: new TestTiming(),
    ...options,
  })
}

export function repositoryOf(
  client: RegistryClient,
  registry: MemoryRegistry,
  repository = 'team/app',
): Repository {
  return client.repository({ registry: registry.host, repository })
}

/** `bytes` in pieces, as a stream. */
export async function* pieces(bytes: Uint8Array, size = 10_000): Bytes {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Bytes that do not repeat within any chunk. */
export function someBytes(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export async function readAll(bytes: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export function blobOf(bytes: Buffer, mediaType: string = MEDIA_TYPES.ociLayer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

export interface TestImage {
  readonly manifest: Descriptor
  readonly manifestBytes: Buffer
  readonly config: ImageConfig
  readonly layer: Buffer
}

/** Puts an image of one layer into a registry; `tag` also names it. */
export function addImage(
  registry: MemoryRegistry,
  name: string,
  { platform = AMD64, tag }: { platform?: Platform; tag?: string } = {},
): TestImage {
  const layer = someBytes(3000, platform.architecture.length)
  const layerBlob = registry.addBlob(name, layer, MEDIA_TYPES.ociLayer)
  const config: ImageConfig = {
    platform,
    config: { Cmd: ['/bin/sh'], Labels: { for: platform.architecture } },
    diffIds: [parseDiffId(layerBlob.digest)],
    history: [{ created_by: 'test' }],
  }
  const configBlob = registry.addBlob(name, serializeImageConfig(config), MEDIA_TYPES.ociConfig)
  const mediaType = MEDIA_TYPES.ociManifest
  const manifestBytes = serializeManifest({ mediaType, config: configBlob, layers: [layerBlob] })
  const digest = digestOf(manifestBytes)
  registry.addManifest(name, digest, { mediaType, bytes: manifestBytes })
  if (tag !== undefined) registry.addManifest(name, tag, { mediaType, bytes: manifestBytes })
  const manifest = { mediaType, digest, size: manifestBytes.length, platform }
  return { manifest, manifestBytes, config, layer }
}

export function addIndex(
  registry: MemoryRegistry,
  { name, tag }: { name: string; tag: string },
  manifests: readonly Descriptor[],
): Descriptor {
  const index: Index = { mediaType: MEDIA_TYPES.ociIndex, manifests }
  const bytes = serializeIndex(index)
  const digest = registry.addManifest(name, tag, { mediaType: index.mediaType, bytes })
  return { mediaType: index.mediaType, digest, size: bytes.length }
}
