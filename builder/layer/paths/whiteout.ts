import type { Name } from '#core'

/** Begins the name of an entry that deletes another one, in a layer's tar. Spec: image-spec v1.1 layer.md#whiteouts */
export const WHITEOUT_PREFIX = '.wh.'
/** The name of an entry that makes its directory opaque, in a layer's tar. Spec: image-spec v1.1 layer.md#opaque-whiteout */
export const OPAQUE_MARK = '.wh..wh..opq'
/** Begins names that only the aufs driver used; docker and containerd skip them. */
export const AUFS_PREFIX = '.wh..wh.'

/** The only extended attribute in this namespace that layers keep. */
export const CAPABILITY = 'security.capability'

/** The name in a tar that deletes `path`. */
export function whiteoutPath(path: Name): Name {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${WHITEOUT_PREFIX}${path.slice(slash)}` as Name
}

/** True for a character device 0/0: the overlay form of a deleted name. */
export function isWhiteoutDevice(file: {
  readonly type: string
  readonly major: number
  readonly minor: number
}): boolean {
  return file.type === 'character' && file.major === 0 && file.minor === 0
}
