import type { Digest, FileStat, Name, Tree } from '#core'

/** Digest of the bytes of one regular file; `open` gives a descriptor that the callee closes. */
export type FileDigest = (path: Name, stat: FileStat, open: () => number) => Digest

export declare function digestFile(open: () => number): Digest
export declare function checksumTree(tree: Tree, path: Name, fileDigest: FileDigest): Digest
