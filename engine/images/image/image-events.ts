import type { NewEvent } from '#engine/state'
import type { EngineImage } from './engine-image.ts'

/** Reports what became of an image, with its labels. */
export function imageEvent(
  Action: string,
  image: Pick<EngineImage, 'id' | 'config'>,
  name: string,
): NewEvent {
  const attributes = { ...image.config.config.Labels, name }
  return { Type: 'image', Action, id: image.id, attributes }
}
