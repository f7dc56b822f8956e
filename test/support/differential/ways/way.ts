import type { BuildOptions } from '#builder'

/** What is asked of a build; it can be sent to another process as JSON. */
export type Order = Omit<BuildOptions, 'onEvent' | 'signal' | 'credentials' | 'outputs'>

/** The digest of what was built, or why the build was refused. */
export type Delivery = { readonly digest: string } | { readonly refused: string }

/** A place and manner in which this repository's builder builds. */
export interface Way extends AsyncDisposable {
  build(order: Order): Promise<Delivery>
}
