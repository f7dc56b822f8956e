/** Ways to keep RUN steps apart from what runs the build. */
export const ISOLATIONS = ['namespaces', 'in-place'] as const

/**
 * `namespaces`: steps have their own root, processes and network. `in-place`: they run in the root of the
 * builder's own container.
 */
export type Isolation = (typeof ISOLATIONS)[number]

/** A file of the image tsbuild: its containers are made for steps in place. */
export const IN_PLACE_MARKER = '/tsbuild/in-place'
