import type { Bytes, Digest, TransferOptions } from '#core'
import type { Container } from '#engine/containers'
import type { ContainerSize, PathChange, PathStat } from '#engine/files'
import type { Config } from '#engine/model'

/** What is unpacked into a container. */
export interface Upload {
  /** An absolute path of the container. */
  readonly path: string
  /** As the request names the container. */
  readonly container: string
  /** A tar, packed in any way. */
  readonly tar: Bytes
  /** Everything is to belong to the user of the container. */
  readonly isOwnedByUser: boolean
  /** A directory may take the place of something else, and the other way round. */
  readonly replacesKinds: boolean
}

/** What is read of a container. */
export interface Download {
  readonly stat: PathStat
  readonly tar: Bytes
}

/** How a container becomes an image. */
export interface Commit {
  readonly repository: string | undefined
  readonly tag: string | undefined
  readonly comment: string | undefined
  readonly author: string | undefined
  readonly isPaused: boolean
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[]
  /** What the image is to run in the place of what the container runs. */
  readonly config: Config | undefined
}

/** What is done with the files of containers, whether they run or not. */
export interface FileServices {
  /** @param asked the path, and the container as the request names it. @throws {TsbuildError} NOT_FOUND, IO_FAILED, USAGE */
  stat(
    container: Container,
    asked: Pick<Upload, 'path' | 'container'>,
    options: TransferOptions,
  ): Promise<PathStat>
  /** The bytes must be read, or be given up. @throws {TsbuildError} as `stat` */
  read(
    container: Container,
    asked: Pick<Upload, 'path' | 'container'>,
    options: TransferOptions,
  ): Promise<Download>
  /** @throws {TsbuildError} NOT_FOUND, USAGE, PERMISSION_DENIED, LAYER_INVALID, NO_SPACE, IO_FAILED, CANCELLED */
  write(container: Container, upload: Upload, options: TransferOptions): Promise<void>
  /** @throws {TsbuildError} IO_FAILED, CANCELLED */
  changes(container: Container, options: TransferOptions): Promise<readonly PathChange[]>
  /** All files but those that are mounted. @throws {TsbuildError} IO_FAILED, CANCELLED */
  export(container: Container, options: TransferOptions): Promise<Bytes>
  /** @returns the id of the image. @throws {TsbuildError} USAGE, DOCKERFILE_INVALID, REFERENCE_INVALID, LAYER_INVALID, IO_FAILED */
  commit(container: Container, commit: Commit, options: TransferOptions): Promise<Digest>
  /** @throws {TsbuildError} IO_FAILED */
  size(container: Container): Promise<ContainerSize>
}
