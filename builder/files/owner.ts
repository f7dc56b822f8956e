import { closeSync } from 'node:fs'
import { resolveInTree } from '#builder/layer'
import {
  type AccountLookup,
  type Digest,
  digestOf,
  isAccountId,
  MAX_ACCOUNTS_FILE,
  nameOf,
  parseAccountId,
  parseGroups,
  parsePasswd,
  type Tree,
  TsbuildError,
  unknownAccountError,
} from '#core'
import { readLimited } from '#disk'
import type { FileAction, Owner } from './action.ts'

/** A numeric owner and group. */
export interface Ids {
  readonly uid: number
  readonly gid: number
}

/** Owner and group of what no owner is given for. */
export const ROOT_IDS: Ids = { uid: 0, gid: 0 }

const USER: AccountLookup = { what: 'user', code: 'NOT_FOUND' }
const GROUP: AccountLookup = { what: 'group', code: 'NOT_FOUND' }

/**
 * Numbers of an owner. A number is taken as it is, and is its own group when none is given; a name
 * is looked up in the passwd and group files of `root`, links followed inside of it.
 * @throws {TsbuildError} NOT_FOUND for an unknown name, or a number that is out of range
 */
export function resolveOwner(owner: Owner, root: Tree): Ids {
  const user = resolveUser(owner.user, root)
  const group = owner.group ?? ''
  return group === '' ? user : { uid: user.uid, gid: resolveGroup(group, root) }
}

/** Digest of what owners are looked up in; `undefined` when no action names one. */
export function ownersDigest(actions: readonly FileAction[], root: Tree): Digest | undefined {
  const isNamed = actions.some(({ owner }) => owner !== undefined && needsLookup(owner))
  if (!isNamed) return undefined
  const files = ['etc/passwd', 'etc/group'].map((path) => readSmallFile(root, path) ?? null)
  return digestOf(JSON.stringify(files))
}

function needsLookup({ user, group = '' }: Owner): boolean {
  return [user, group].some((text) => text !== '' && text !== 'root' && !isAccountId(text))
}

function resolveUser(user: string, root: Tree): Ids {
  if (user === '') return ROOT_IDS
  const uid = numberOf(user, USER)
  if (uid !== undefined) return { uid, gid: uid }
  const entries = parsePasswd(readSmallFile(root, 'etc/passwd') ?? '')
  const found = entries.find(({ name }) => name === user)
  if (found === undefined) throw unknownAccountError(user, entries, USER)
  return { uid: found.uid, gid: found.gid }
}

function resolveGroup(group: string, root: Tree): number {
  const number = numberOf(group, GROUP)
  if (number !== undefined) return number
  const entries = parseGroups(readSmallFile(root, 'etc/group') ?? '')
  const found = entries.find(({ name }) => name === group)
  if (found === undefined) throw unknownAccountError(group, entries, GROUP)
  return found.gid
}

/** `undefined` for what has to be looked up; `root` is always 0. */
function numberOf(text: string, lookup: AccountLookup): number | undefined {
  return text === 'root' ? 0 : parseAccountId(text, lookup)
}

/** `undefined` when there is no such regular file. */
function readSmallFile(root: Tree, path: string): string | undefined {
  const resolved = resolveInTree(root, nameOf(path), { followLast: true })
  const stat = root.lstat(resolved)
  if (stat?.type !== 'file') return undefined
  const descriptor = root.openFile(resolved)
  try {
    const content = readLimited(descriptor, MAX_ACCOUNTS_FILE)
    if (content !== undefined) return content.toString('utf8')
  } finally {
    closeSync(descriptor)
  }
  throw new TsbuildError(`/${path} has more than ${MAX_ACCOUNTS_FILE} bytes`, {
    code: 'UNSUPPORTED',
  })
}
