/**
 * `namespaces`: steps have their own root, processes and network. `in-place`: they run in the root of the
 * builder's own container.
 */
export type Isolation = 'namespaces' | 'in-place'

/** What may be asked for. `strict`: namespaces, or no step runs. */
export const ISOLATION_CHOICES = ['auto', 'namespaces', 'in-place', 'strict'] as const

/** How RUN steps are to be kept apart. */
export type IsolationChoice = (typeof ISOLATION_CHOICES)[number]

/** A file of the image tsbuild: its containers are made for steps in place. */
export const IN_PLACE_MARKER = '/tsbuild/in-place'
