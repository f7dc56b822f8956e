import { clientFor, type ImageOptions } from '#builder'
import {
  collect,
  type JsonObject,
  MAX_DOCUMENT_BYTES,
  type Platform,
  parseImageConfig,
  parseManifestOrIndex,
  TsbuildError,
} from '#core'
import { type FetchedManifest, type Repository, withDefaultTag } from '#registry-client'
import { readReference } from '../image/find-image.ts'
import { descriptorDocument, platformDocument } from '../image-documents.ts'
import { pullError } from './registry-failure.ts'
import { credentialsFor } from './request-credentials.ts'

/**
 * What a registry has under a name: its descriptor, and the platforms that it is for. Spec: Docker Engine API,
 * DistributionInspect
 * @param auth `X-Registry-Auth`
 * @throws {TsbuildError} USAGE, NOT_FOUND and registry failures
 */
export async function distributionInfo(
  text: string,
  auth: string | undefined,
  network: ImageOptions,
): Promise<JsonObject> {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) {
    throw new TsbuildError('no manifest found for full image ID', { code: 'USAGE' })
  }
  const reference = withDefaultTag(readReference(text))
  const credentials = credentialsFor(reference.registry, auth)
  await using client = clientFor({ ...network, credentials })
  const repository = client.repository(reference)
  const { signal } = network
  try {
    const wanted = reference.digest ?? reference.tag ?? ''
    const fetched = await repository.fetchManifest(wanted, { signal })
    const platforms = await platformsOf(fetched, repository, signal)
    return {
      Descriptor: descriptorDocument(fetched.descriptor),
      Platforms: platforms.map(platformDocument),
    }
  } catch (cause) {
    throw pullError(cause, reference, credentials)
  }
}

async function platformsOf(
  { bytes, descriptor }: FetchedManifest,
  repository: Repository,
  signal: AbortSignal | undefined,
): Promise<readonly Platform[]> {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  if (parsed.kind === 'index') {
    return parsed.index.manifests.flatMap(({ platform }) => platform ?? [])
  }
  const config = await repository.open(parsed.manifest.config, { signal })
  return [parseImageConfig(await collect(config, MAX_DOCUMENT_BYTES)).platform]
}
