import { type Digest, typedFailure } from '#core'
import { formatReference, parseReference, withDefaultTag } from '#registry-client'
import type { SigningKey } from '#signing'
import { reportOutput } from '../../deliver.ts'
import { clientFor, type ImageOptions, listenerOf } from '../image-services.ts'

/** What `signRemoteImage` is asked to do. */
export interface SignImageOptions extends Omit<ImageOptions, 'root'> {
  /** In a registry. */
  readonly name: string
  readonly keys: readonly SigningKey[]
}

/** An image that is signed. */
export interface SignedImage {
  /** Canonical. */
  readonly name: string
  readonly digest: Digest
}

/**
 * Signs an image of a registry, and, of an index, each image in it. The signatures are in its repository then.
 * @throws {TsbuildError} USAGE for a key that cannot be used, NOT_FOUND, and registry failures
 */
export async function signRemoteImage(options: SignImageOptions): Promise<SignedImage> {
  const reference = withDefaultTag(parseReference(options.name))
  const { keys, signal } = options
  try {
    const { openSigners } = await import('#signing')
    const sign = await openSigners(keys, process.env)
    await using client = clientFor(options)
    const repository = client.repository(reference)
    const wanted = reference.digest ?? reference.tag ?? ''
    const { descriptor, bytes } = await repository.fetchManifest(wanted, {
      signal,
      from: 'registry',
    })
    const { mediaType, digest } = descriptor
    const graph = { root: descriptor, document: { mediaType, bytes } }
    const name = `signing ${formatReference({ ...reference, digest })}`
    await reportOutput(name, { onEvent: listenerOf(options), position: 0 }, () =>
      sign(repository, graph, { signal }),
    )
    return { name: formatReference(reference), digest }
  } catch (cause) {
    throw typedFailure('sign', cause)
  }
}
