/** Bytes of a block of a tar: headers are one, contents are padded to whole ones. */
export const BLOCK = 512

/** Bytes after a content of so many, up to the next block; for sizes beyond 32 bits, too. */
export function paddingAfter(size: number): number {
  return -size & (BLOCK - 1)
}
