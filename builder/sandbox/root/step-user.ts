import { closeSync, constants, openSync } from 'node:fs'
import type { Identity } from '#builder/linux'
import {
  type AccountLookup,
  type GroupEntry,
  MAX_ACCOUNTS_FILE,
  type PasswdEntry,
  parseAccountId,
  parseGroups,
  parsePasswd,
  TsbuildError,
  unknownAccountError,
} from '#core'
import { readLimited } from '#disk'
import { descriptorPath, findEntryIfThere } from './root-entry.ts'

/** A user as the step's process gets it. */
export interface StepUser extends Identity {
  /** The home directory of the uid, `/` when the image does not know it. */
  readonly home: string
}

/** Gives the text of a file of the image, `undefined` when there is none. */
export type ReadImageFile = (path: string) => string | undefined

const USER: AccountLookup = { what: 'user', code: 'STEP_FAILED' }
const GROUP: AccountLookup = { what: 'group', code: 'STEP_FAILED' }

/**
 * Finds out who `USER` is, from the image's own passwd and group files.
 * @param spec empty, `user`, `user:group`; names or numbers
 * @param more groups besides those of the user; names or numbers
 * @throws {TsbuildError} STEP_FAILED when the image has no such user or group
 */
export function resolveUser(
  spec: string,
  read: ReadImageFile,
  more: readonly string[] = [],
): StepUser {
  const user = ownUser(spec, read)
  if (more.length === 0) return user
  const known = more.every((name) => numberOf(name, GROUP) !== undefined)
    ? []
    : parseGroups(read('/etc/group') ?? '')
  const added = more.map((name) => numberOf(name, GROUP) ?? findGroup(name, known))
  return { ...user, groups: [...new Set([...user.groups, ...added])] }
}

function ownUser(spec: string, read: ReadImageFile): StepUser {
  const [userPart = '', groupPart = ''] = splitOnce(spec)
  if (spec === '') return rootUser(read)
  const uid = numberOf(userPart, USER)
  const gid = numberOf(groupPart, GROUP)
  if (uid !== undefined && gid !== undefined) {
    const home = homeOf(parsePasswd(readIfUsable(read, '/etc/passwd')), uid)
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
    const entry = findEntryIfThere(root, path)
    if (entry === undefined) return undefined
    try {
      if (!entry.stat.isFile()) throw accountsFileError(path, 'is not a regular file')
      return readWhole(descriptorPath(entry.descriptor), path)
    } finally {
      closeSync(entry.descriptor)
    }
  }
}

function readWhole(source: string, path: string): string {
  const descriptor = openSync(source, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const content = readLimited(descriptor, MAX_ACCOUNTS_FILE)
    if (content !== undefined) return content.toString('utf8')
  } finally {
    closeSync(descriptor)
  }
  throw accountsFileError(path, `is larger than ${MAX_ACCOUNTS_FILE} bytes`)
}

/** No USER: root, whether or not the image has a user 0. */
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

function findUser(
  text: string,
  passwd: readonly PasswdEntry[],
): { readonly uid: number; readonly gid: number; readonly name?: string } {
  const number = parseAccountId(text, USER)
  const entry = passwd.find((candidate) =>
    number === undefined ? candidate.name === text : candidate.uid === number,
  )
  if (entry !== undefined) return entry
  if (number !== undefined) return { uid: number, gid: 0 }
  throw unknownAccountError(text, passwd, USER)
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const number = parseAccountId(text, GROUP)
  if (number !== undefined) return number
  const entry = groups.find((candidate) => candidate.name === text)
  if (entry !== undefined) return entry.gid
  throw unknownAccountError(text, groups, GROUP)
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

/** Where both parts are numbers, `root` is one too. */
function numberOf(text: string, lookup: AccountLookup): number | undefined {
  return text === 'root' ? 0 : parseAccountId(text, lookup)
}

function splitOnce(spec: string): readonly string[] {
  const colon = spec.indexOf(':')
  return colon < 0 ? [spec] : [spec.slice(0, colon), spec.slice(colon + 1)]
}

function accountsFileError(path: string, reason: string): TsbuildError {
  return new TsbuildError(`look up the user of the step: ${path} of the image ${reason}`, {
    code: 'STEP_FAILED',
  })
}
