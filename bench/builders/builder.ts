/**
 * A builder under measurement. All build as root, into an image store of their own, and keep the image
 * uncompressed unless they push it. Steps have the host's network, or an isolated one (see `OwnHost`).
 */
export interface Builder extends AsyncDisposable {
  readonly name: string
  /** Starts over with a storage that has nothing but base images, fetched and unpacked. */
  reset(bases: readonly Base[]): Promise<void>
  build(context: string, wish?: BuildWish): Promise<void>
}

/** What a build is asked for besides an image in the store. */
export interface BuildWish {
  readonly noCache?: boolean
  /** A base image that the storage lacks. */
  readonly pulled?: string
  /** Where the image is pushed. */
  readonly pushed?: string
  /** An OCI archive to write. */
  readonly archive?: string
  /** How layers are packed that leave the storage; default: gzip. */
  readonly compression?: 'gzip' | 'zstd'
}

/** A base image in the registry. */
export interface Base {
  readonly name: string
  /** A trivial context on it, for builders that fetch a base only when they build. */
  readonly prime: string
  /** A context that is the base and nothing else, for a builder that can have it under its name. */
  readonly itself: string | undefined
}
