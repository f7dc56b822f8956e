import type { Distribution, Package } from './package.ts'

/** The packages of an image. */
export interface FoundPackages {
  /** Each once, in the order of their URLs. */
  readonly packages: readonly Package[]
  readonly distribution: Distribution | undefined
  /** What could not be read, for the user. */
  readonly problems: readonly string[]
}
