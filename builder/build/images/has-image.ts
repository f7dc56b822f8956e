import { formatReference, parseReference, withDefaultTag } from '#registry-client'
import { storeFor } from './image-services.ts'

/** Whether the store has an image under a name. @throws {TsbuildError} REFERENCE_INVALID */
export async function hasImage(name: string, root?: string | undefined): Promise<boolean> {
  const canonical = formatReference(withDefaultTag(parseReference(name)))
  await using store = storeFor({ root })
  return store.images.get(canonical) !== undefined
}
