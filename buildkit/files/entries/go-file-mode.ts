import { constants } from 'node:fs'

/** Modes of files as Go numbers them. Spec: https://pkg.go.dev/io/fs#FileMode */
const GO = {
  directory: 2 ** 31,
  link: 2 ** 27,
  device: 2 ** 26,
  pipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  characters: 2 ** 21,
  sticky: 2 ** 20,
  irregular: 2 ** 19,
} as const

const PERMISSIONS = 0o777
const SETUID = 0o4000
const SETGID = 0o2000
const STICKY = 0o1000

const KINDS: readonly (readonly [go: number, system: number])[] = [
  [0, constants.S_IFREG],
  [GO.directory, constants.S_IFDIR],
  [GO.link, constants.S_IFLNK],
  [GO.device, constants.S_IFBLK],
  [GO.device + GO.characters, constants.S_IFCHR],
  [GO.pipe, constants.S_IFIFO],
  [GO.socket, constants.S_IFSOCK],
]
const TO_SYSTEM: ReadonlyMap<number, number> = new Map(KINDS)
const TO_GO: ReadonlyMap<number, number> = new Map(KINDS.map(([go, system]) => [system, go]))

/** The bits of which a kind is made. */
const KIND_BITS =
  GO.directory + GO.link + GO.device + GO.pipe + GO.socket + GO.characters + GO.irregular
const MOST = 2 ** 32 - 1

/** `st_mode` of the system as Go has it. */
export function goFileMode(mode: number): number {
  return (
    (TO_GO.get(mode & constants.S_IFMT) ?? GO.irregular) +
    (mode & PERMISSIONS) +
    ((mode & SETUID) === 0 ? 0 : GO.setuid) +
    ((mode & SETGID) === 0 ? 0 : GO.setgid) +
    ((mode & STICKY) === 0 ? 0 : GO.sticky)
  )
}

/**
 * A mode of Go as `st_mode`. What Linux has no bit for is dropped: append-only, exclusive, temporary.
 * @returns `undefined` for a kind that Linux has not, or several kinds at once
 */
export function systemFileMode(mode: number): number | undefined {
  if (!Number.isInteger(mode) || mode < 0 || mode > MOST) return undefined
  const kind = TO_SYSTEM.get((mode & KIND_BITS) >>> 0)
  if (kind === undefined) return undefined
  return (
    kind |
    (mode & PERMISSIONS) |
    ((mode & GO.setuid) === 0 ? 0 : SETUID) |
    ((mode & GO.setgid) === 0 ? 0 : SETGID) |
    ((mode & GO.sticky) === 0 ? 0 : STICKY)
  )
}
