/** Ways to keep RUN steps apart from what runs the build. */
export const ISOLATIONS = ['namespaces', 'in-place'] as const

/**
 * `namespaces`: steps have their own root, processes and network. `in-place`: they run in the root of the
 * builder's own container.
 */
export type Isolation = (typeof ISOLATIONS)[number]
