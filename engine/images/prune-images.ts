import { booleanFilter, matchesLabels, parseFilters, untilFilter } from '#engine/model'
import { createdOf, type EngineImage, referencesOf, tagsOf } from './image/engine-image.ts'
import {
  type RemoveDeps,
  type RemovedImage,
  type RemovedItem,
  removeImage,
} from './remove-image.ts'

/** Spec: Docker Engine API, ImagePruneResponse */
export interface PruneReport {
  readonly ImagesDeleted: readonly RemovedItem[] | null
  /** Bytes. */
  readonly SpaceReclaimed: number
}

const FILTERS = ['dangling', 'label', 'label!', 'until']

/** Removes images without a name, or with `dangling=false` all that no container has. @throws {TsbuildError} USAGE */
export async function pruneImages(
  images: readonly EngineImage[],
  text: string | undefined,
  deps: RemoveDeps,
): Promise<RemovedImage> {
  const filters = parseFilters(text, FILTERS)
  const danglingOnly = booleanFilter(filters, 'dangling') ?? true
  const isOld = untilFilter(filters)
  const used = new Set(deps.users.map(({ image }) => image))
  const chosen = images.filter((image) => {
    if (!isOld(createdOf(image)) || !matchesLabels(filters, image.config.config.Labels))
      return false
    return !image.ids.some((id) => used.has(id)) && !(danglingOnly && tagsOf(image).length > 0)
  })
  return await removeAll(chosen, images, deps)
}

async function removeAll(
  chosen: readonly EngineImage[],
  images: readonly EngineImage[],
  deps: RemoveDeps,
): Promise<RemovedImage> {
  const items: RemovedItem[] = []
  const orphans = new Set<string>()
  let left = images
  for (const image of chosen) {
    // By each of its names: the answer lists all of them.
    const request = { text: image.id, force: referencesOf(image).length > 1 }
    const removed = await removeImage(left, request, deps)
    left = left.filter((one) => one !== image)
    items.push(...removed.items)
    for (const id of removed.orphans) orphans.add(id)
  }
  return { items, orphans }
}
