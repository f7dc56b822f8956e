/** Ways to give steps their files. */
export const SNAPSHOTTER_KINDS = ['overlay', 'overlay-tmpfs', 'fuse-overlayfs', 'copies'] as const

/** A way to give steps their files that can be chosen. */
export type SnapshotterKind = (typeof SNAPSHOTTER_KINDS)[number]
