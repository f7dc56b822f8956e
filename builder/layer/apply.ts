import type { Bytes, DiffId } from '#core'

export interface ApplyOptions {
  /**
   * The layers below, in overlay form, topmost first: where hard links and unnamed parents are
   * looked up. Absent: unknown (see `AppliedLayer.dependsOnLowers`); an empty list: there are none.
   */
  readonly lowers?: readonly string[]
  /** Told about what could not be made, e.g. device files in a user namespace. */
  readonly onWarning?: (message: string) => void
  /** Everything belongs to the current user: for a user namespace with a single id. */
  readonly owners?: 'keep' | 'drop'
  readonly signal?: AbortSignal | undefined
}

export interface AppliedLayer {
  /** Digest of all bytes of the tar, also of those after its end. */
  readonly diffId: DiffId
  /** Bytes of the uncompressed tar. */
  readonly size: number
  readonly entries: number
  /**
   * The directory holds something that came from the layers below (an unnamed parent's mode, a file
   * that was hard linked): it fits these lower layers only. When `lowers` was absent the directory
   * is incomplete, and the layer is to be applied again with them.
   */
  readonly dependsOnLowers: boolean
}

/** Applies an OCI layer (uncompressed tar) to an empty or new directory, in overlay form. */
export async function applyLayer(
  tar: Bytes,
  directory: string,
  options: ApplyOptions = {},
): Promise<AppliedLayer> {
  throw new Error(`not yet: ${tar} ${directory} ${options}`)
}

/** Unpacks an archive as plain files: whiteout names mean nothing. */
export async function extractArchive(
  tar: Bytes,
  directory: string,
  options: Omit<ApplyOptions, 'lowers'> = {},
): Promise<AppliedLayer> {
  throw new Error(`not yet: ${tar} ${directory} ${options}`)
}
