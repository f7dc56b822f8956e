import type { Name } from '#core'

/** Marks a name as deleted, in a layer's tar. Spec: image-spec v1.1 layer.md#whiteouts */
export const WHITEOUT_PREFIX = '.wh.'
/** Marks its directory as opaque. Spec: image-spec v1.1 layer.md#opaque-whiteout */
export const OPAQUE_MARK = '.wh..wh..opq'
/** Names that only the aufs driver gave a meaning; docker and containerd skip them. */
export const AUFS_PREFIX = '.wh..wh.'

export const CAPABILITY = 'security.capability'

/** The name in a tar that deletes `path`. */
export function whiteoutPath(path: Name): Name {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${WHITEOUT_PREFIX}${path.slice(slash)}` as Name
}

/** The overlay form of a deleted name is a character device 0/0. */
export function isWhiteoutDevice(file: {
  readonly type: string
  readonly major: number
  readonly minor: number
}): boolean {
  return file.type === 'character' && file.major === 0 && file.minor === 0
}
