import { hostPlatform, parsePlatform, typedFailure } from '#core'
import {
  familiarReference,
  formatReference,
  parseReference,
  type ResolvedImage,
  resolveImage,
  withDefaultTag,
} from '#registry-client'
import { clientFor, type ImageOptions } from './image-services.ts'

/** Which image of a registry is described. */
export interface DescribeOptions extends Omit<ImageOptions, 'root'> {
  readonly name: string
  /** Default: that of this machine. */
  readonly platform?: string | undefined
}

/** An image of a registry. */
export interface DescribedImage extends ResolvedImage {
  /** Canonical. */
  readonly name: string
}

/**
 * What a registry says of an image: its index, manifest and config. No layer is fetched, and nothing is kept.
 * @throws {TsbuildError} REFERENCE_INVALID, NOT_FOUND, PLATFORM_MISMATCH and registry failures
 */
export async function describeImage(options: DescribeOptions): Promise<DescribedImage> {
  const reference = withDefaultTag(parseReference(options.name))
  const { platform, signal } = options
  await using client = clientFor(options)
  try {
    const wanted = reference.digest ?? reference.tag ?? ''
    const image = await resolveImage(client.repository(reference), wanted, {
      platform: platform === undefined ? hostPlatform() : parsePlatform(platform),
      name: familiarReference(reference),
      signal,
    })
    return { name: formatReference(reference), ...image }
  } catch (cause) {
    throw typedFailure('inspect', cause)
  }
}
