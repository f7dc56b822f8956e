import type { Descriptor } from '#core'

/** An annotation of a name's entry in the index of the store: when the name was given. */
const TAGGED = 'tsbuild.tagged'

/** The entry of a name that is given now. */
export function withTagTime(descriptor: Descriptor): Descriptor {
  const annotations = { ...descriptor.annotations, [TAGGED]: new Date().toISOString() }
  return { ...descriptor, annotations }
}

/** When an image got its latest name, as RFC 3339; `undefined` where no name was given here. */
export function taggedAt(
  entries: readonly { readonly descriptor: Descriptor }[],
): string | undefined {
  return entries
    .flatMap(({ descriptor }) => descriptor.annotations?.[TAGGED] ?? [])
    .toSorted()
    .at(-1)
}
