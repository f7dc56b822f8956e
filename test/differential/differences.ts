/** A difference to BuildKit that a way of building has by its nature. */
export interface Difference {
  /** The cases that have it, by name. */
  readonly cases: RegExp
  /** What the comparison says of it. */
  readonly complaint: RegExp
  readonly reason: string
}

/** Layers placed as plain files, where overlays cannot be had. */
export const OF_COPIES: readonly Difference[] = [
  {
    cases: /^files by chance/,
    complaint: / linkOf: here none, /,
    reason:
      'a file of the layers below with several names is several files, as overlayfs makes them too once one is changed',
  },
  {
    cases: /^run: RUN mv \/srv\/dir \/srv\/moved$/,
    complaint: /^\/srv\/moved\/ln mtime: here 900000000, BuildKit now$/,
    reason: 'a directory of the layers below can be renamed; on overlayfs mv has to copy it',
  },
]

/** Steps in the root of a container that lets them mount nothing. */
export const OF_IN_PLACE: readonly Difference[] = [
  ...OF_COPIES,
  {
    cases: /^run: a bind mount of the context$/,
    complaint: /^\/list content: /,
    reason: 'ls adds up the blocks of another file system',
  },
  {
    cases: /^run: a bind mount cannot be written$/,
    complaint: /^accepted/,
    reason: 'a mount is a copy, and root can write to it; it is dropped all the same',
  },
  {
    cases: /^run: a tmpfs mount$/,
    complaint: /^\/got content: /,
    reason: 'an empty directory on the file system of the container',
  },
  {
    cases: /^run: a secret( in another place)?$/,
    complaint: /^\/got content: /,
    reason: 'a link to a file in memory',
  },
  {
    cases: /^run: no network$/,
    complaint:
      /^refused here: steps in place cannot be without a network|^accepted: by BuildKit only$/,
    reason: 'the container lets nothing make a network',
  },
]

/** What the comparison says beyond the differences; a listed difference that is not there is said, too. */
export function unexpected(
  name: string,
  complaints: readonly string[],
  differences: readonly Difference[],
): readonly string[] {
  const known = differences.filter(({ cases }) => cases.test(name))
  const rest = complaints.filter((one) => !known.some(({ complaint }) => complaint.test(one)))
  const isGenerated = name.startsWith('files by chance')
  const missing = known.filter(
    ({ complaint }) => !isGenerated && !complaints.some((one) => complaint.test(one)),
  )
  return [...rest, ...missing.map(({ reason }) => `no longer different: ${reason}`)]
}
