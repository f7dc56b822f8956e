import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Identity } from '#builder/linux'
import { TsbuildError } from '#core'
import { findPlaceIfThere, pathOf } from './root-tree.ts'

/** A user as the step's process gets it. */
export interface StepUser extends Identity {
  /** The home directory of the uid, `/` when the image does not know it. */
  readonly home: string
}

/** Gives the text of a file of the image, `undefined` when there is none. */
export type ReadImageFile = (path: string) => string | undefined

const MAX_FILE = 10 * 1024 * 1024
const MAX_ID = 2 ** 31 - 1
const INTEGER = /^-?\d+$/

interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

interface GroupEntry {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/**
 * Finds out who `USER` is, from the image's own passwd and group files.
 * @param spec empty, `user`, `user:group`; names or numbers
 * @throws {TsbuildError} STEP_FAILED when the image has no such user or group
 */
export function resolveUser(spec: string, read: ReadImageFile): StepUser {
  const [userPart = '', groupPart = ''] = splitOnce(spec)
  if (spec === '') return rootUser(read)
  if (isId(userPart) && isId(groupPart)) {
    const uid = parseId(userPart)
    const home = homeOf(parsePasswd(readIfUsable(read, '/etc/passwd')), uid)
    const gid = parseId(groupPart)
    return { uid, gid, groups: [gid], home }
  }
  const passwd = parsePasswd(read('/etc/passwd') ?? '')
  const user = findUser(userPart, passwd)
  const groups = parseGroups(read('/etc/group') ?? '')
  const home = homeOf(passwd, user.uid)
  if (groupPart !== '') {
    const gid = findGroup(groupPart, groups)
    return { uid: user.uid, gid, groups: [gid], home }
  }
  return { uid: user.uid, gid: user.gid, groups: groupsOf(user, groups), home }
}

/** A reader for `resolveUser` that never leaves the root and never reads anything but plain files. */
export function imageFileReader(root: number): ReadImageFile {
  return (path) => {
    const place = findPlaceIfThere(root, path)
    if (place === undefined) return undefined
    try {
      if (!place.stat.isFile()) throw unusable(path, 'is not a regular file')
      if (place.stat.size > MAX_FILE) throw unusable(path, `is larger than ${MAX_FILE} bytes`)
      return readWhole(pathOf(place.descriptor), path)
    } finally {
      closeSync(place.descriptor)
    }
  }
}

function readWhole(source: string, path: string): string {
  const descriptor = openSync(source, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(fstatSync(descriptor).size + 1)
    let length = 0
    for (;;) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, length)
      length += count
      if (count === 0) return bytes.toString('utf8', 0, length)
      if (length === bytes.length) throw unusable(path, 'changes while it is read')
    }
  } finally {
    closeSync(descriptor)
  }
}

/** No USER: root, whether or not the image knows a user 0. */
function rootUser(read: ReadImageFile): StepUser {
  const passwd = parsePasswd(readIfUsable(read, '/etc/passwd'))
  const entry = passwd.find((candidate) => candidate.uid === 0)
  const groups = entry === undefined ? [] : parseGroups(readIfUsable(read, '/etc/group'))
  const gid = entry?.gid ?? 0
  return {
    uid: 0,
    gid,
    groups: groupsOf({ gid, name: entry?.name }, groups),
    home: homeOf(passwd, 0),
  }
}

/** Where the answer needs no file, a broken one does no harm. */
function readIfUsable(read: ReadImageFile, path: string): string {
  try {
    return read(path) ?? ''
  } catch (cause) {
    if (cause instanceof TsbuildError) return ''
    throw cause
  }
}

/** Anything that looks like a number is one, never a name: `4294967296` must not become a user. */
function findUser(
  text: string,
  passwd: readonly PasswdEntry[],
): { readonly uid: number; readonly gid: number; readonly name?: string } {
  const number = INTEGER.test(text) ? parseId(text) : undefined
  const entry = passwd.find((candidate) =>
    number === undefined ? candidate.name === text : candidate.uid === number,
  )
  if (entry !== undefined) return entry
  if (number !== undefined) return { uid: number, gid: 0 }
  throw new TsbuildError(`unable to find user ${text}: no matching entries in passwd file`, {
    code: 'STEP_FAILED',
    hint: 'create the user in an earlier step, or give a number',
  })
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const number = INTEGER.test(text) ? parseId(text) : undefined
  if (number !== undefined) return number
  const entry = groups.find((candidate) => candidate.name === text)
  if (entry !== undefined) return entry.gid
  throw new TsbuildError(`unable to find group ${text}: no matching entries in group file`, {
    code: 'STEP_FAILED',
    hint: 'create the group in an earlier step, or give a number',
  })
}

/**
 * The primary group is among them: a program that changes its group does not lose it, and so does not
 * get around permissions that exclude its members.
 */
function groupsOf(
  { name, gid }: { readonly name?: string | undefined; readonly gid: number },
  groups: readonly GroupEntry[],
): readonly number[] {
  const memberships = groups.filter(({ members }) => name !== undefined && members.includes(name))
  return [...new Set([gid, ...memberships.map((group) => group.gid)])]
}

function homeOf(passwd: readonly PasswdEntry[], uid: number): string {
  return passwd.find((entry) => entry.uid === uid)?.home || '/'
}

/** Lines that are damaged, or whose ids are out of range, do not count. */
function parsePasswd(text: string): readonly PasswdEntry[] {
  return linesOf(text).flatMap((line) => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':')
    if (name === '' || !isValidId(uid) || !isValidId(gid)) return []
    return [{ name, uid: Number(uid), gid: Number(gid), home }]
  })
}

function parseGroups(text: string): readonly GroupEntry[] {
  return linesOf(text).flatMap((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':')
    if (name === '' || !isValidId(gid)) return []
    return [{ name, gid: Number(gid), members: members.split(',') }]
  })
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').map((line) => line.trim())
}

function isId(text: string): boolean {
  return text === 'root' || INTEGER.test(text)
}

function isValidId(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= MAX_ID
}

/** 2^32 - 1 means "do not change" to the kernel, and what lies above wraps around to root. */
function parseId(text: string): number {
  if (text === 'root') return 0
  if (isValidId(text)) return Number(text)
  throw new TsbuildError(
    `unable to find user ${text}: uids and gids must be in range 0-${MAX_ID}`,
    {
      code: 'STEP_FAILED',
    },
  )
}

function splitOnce(spec: string): readonly string[] {
  const colon = spec.indexOf(':')
  return colon < 0 ? [spec] : [spec.slice(0, colon), spec.slice(colon + 1)]
}

function unusable(path: string, reason: string): TsbuildError {
  return new TsbuildError(`look up the user of the step: ${path} of the image ${reason}`, {
    code: 'STEP_FAILED',
  })
}
