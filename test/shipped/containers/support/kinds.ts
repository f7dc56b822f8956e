import type { ImageName } from '../images/images.ts'

/** A kind of container that CI systems start jobs in. */
export interface Kind {
  readonly image: ImageName
  readonly isPrivileged?: boolean
  /** What else `docker run` is told; none for docker's default. */
  readonly options?: readonly string[]
  /** Where the store is. Default: on the container's own file system. */
  readonly store?: 'volume' | 'tmpfs'
}

/** The options that put the store elsewhere, and the flags that tell tsbuild of it. */
export function storeOf(kind: Kind): {
  readonly options: readonly string[]
  readonly flags: readonly string[]
} {
  switch (kind.store) {
    case 'volume':
      return { options: ['--volume', '/store'], flags: ['--root', '/store'] }
    case 'tmpfs':
      return { options: ['--tmpfs', '/work'], flags: ['--root', '/work/store'] }
    default:
      return { options: [], flags: [] }
  }
}
