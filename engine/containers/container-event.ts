import type { ContainerRecord } from '#engine/model'
import type { NewEvent } from '#engine/state'

/** What became of a container, with its labels. Spec: Docker Engine API, EventActor */
export function containerEvent(
  { id, config, image, name }: Pick<ContainerRecord, 'id' | 'config' | 'image' | 'name'>,
  Action: string,
  more: Readonly<Record<string, string>> = {},
): NewEvent {
  const attributes = { ...config.Labels, image: image.name, name, ...more }
  return { Type: 'container', Action, id, attributes }
}
