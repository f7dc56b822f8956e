import type { Flag } from './flags.ts'

const WHAT = 'What is meant'

/** For commands that choose among what is in the store. */
export const FILTER: Flag = {
  name: 'filter',
  metavar: 'KEY=VALUE',
  repeat: true,
  help: 'Only what passes all filters, see below',
  group: WHAT,
}

/** Also what is not removed otherwise. */
export const ALL: Flag = {
  name: 'all',
  short: 'a',
  help: 'Also results that images have, and what serves the store itself; images stay',
  group: WHAT,
}

/** For commands that list what is in the store. */
export const VERBOSE: Flag = {
  name: 'verbose',
  help: 'Everything about each item, as docker and buildx print it',
  group: 'Screen',
}

/** How much may stay. */
export const LIMITS: readonly Flag[] = [
  { name: 'reserved-space', help: 'So much of the store may stay in any case' },
  { name: 'max-used-space', help: 'Remove what is worth least until the store takes at most this' },
  { name: 'min-free-space', help: 'Remove what is worth least until this is free on the disk' },
  { name: 'keep-storage', help: 'The same as --reserved-space' },
].map((flag) => ({ ...flag, metavar: 'SIZE', group: 'How much' }))

/** What `--help` says of filters. */
export const FILTER_TABLE = {
  title: 'Filters (KEY=VALUE, KEY!=VALUE or KEY~=REGEX)',
  rows: [
    ['until=24h', 'Not used for so long: 90m, 24h, 7d, or since a time such as 2026-01-31'],
    ['id=ID', 'The beginning of an id; of a cache mount also the id in its Dockerfile'],
    ['type=TYPE', 'regular, source.local, source.git.checkout, exec.cachemount, internal'],
    ['description~=REGEX', 'The step, or what else it is'],
    ['parents=ID', 'What was made on an item'],
    ['inuse, shared, private', 'Used by a build; had by an image, or by none'],
    ['mutable, immutable', 'Changed in its place, such as cache mounts, or not'],
  ],
} as const
