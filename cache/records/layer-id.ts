import { chainIdOf, type DiffId, hexOf, randomName } from '#core'

declare const layerIdBrand: unique symbol

/**
 * Names a layer on this machine: 1 to 64 of `a-z0-9`. The hex digits of the diffID where the layer is
 * the same on any stack, `stackLayerId` where its folder fits one stack only, `differencesId` where that has
 * not everything, random until the content is known.
 */
export type LayerId = string & { readonly [layerIdBrand]: true }

const LAYER_ID = /^[a-z0-9]{1,64}$/

/** True for text that can be a layer id: a damaged row may hold anything. */
export function isLayerId(text: unknown): text is LayerId {
  return typeof text === 'string' && LAYER_ID.test(text)
}

/** Brands the text of a layer id. @throws {RangeError} when `text` is not a layer id */
export function layerId(text: string): LayerId {
  if (LAYER_ID.test(text)) return text as LayerId
  throw new RangeError(`invalid layer id ${JSON.stringify(text)}`)
}

/**
 * The id of a layer whose folder fits the layers below it only: named by all of their contents.
 * @param diffIds the stack, bottom first, with the layer itself on top
 */
export function stackLayerId(diffIds: readonly DiffId[]): LayerId {
  const chain = chainIdOf(diffIds)
  if (chain === undefined) throw new Error('an empty stack has no identity')
  // The first letter is not a hex digit, so that the id is never taken for a diffID.
  return layerId(`t${hexOf(chain).slice(1)}`)
}

/** No other ids are so long. */
const DIFFERENCES_ID = /^x[a-z0-9]{23}$/

/** A new id for a layer whose folder has only what differs from another layer's. */
export function differencesId(): LayerId {
  return layerId(`x${randomName(23)}`)
}

/** True for the ids of `differencesId`. */
export function isDifferencesId(id: LayerId): boolean {
  return DIFFERENCES_ID.test(id)
}

/** Under which a whole folder of a layer is kept: its own id, unless the folder of that has only what differs. */
export function wholeLayerId({
  id,
  diffId,
}: {
  readonly id: LayerId
  readonly diffId?: DiffId
}): LayerId {
  return isDifferencesId(id) && diffId !== undefined ? layerId(hexOf(diffId)) : id
}

/** True for a layer whose folder must not be used on another stack. */
export function isStackLayerId(id: LayerId): boolean {
  return (id.length === 64 && id.startsWith('t')) || isDifferencesId(id)
}
