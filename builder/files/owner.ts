import { closeSync, fstatSync, readSync } from 'node:fs'
import { resolveInTree } from '#builder/layer'
import { type Digest, digestOf, nameOf, suggestion, type Tree, TsbuildError } from '#core'
import type { FileAction, Owner } from './action.ts'

export interface Ids {
  readonly uid: number
  readonly gid: number
}

export const ROOT_IDS: Ids = { uid: 0, gid: 0 }

const MAX_ID = 0x7fffffff
const MAX_FILE_SIZE = 10 * 1024 * 1024

/**
 * Numbers of an owner. A number is taken as it is, and is its own group when none is given; a name
 * is looked up in the passwd and group files of `root`, links followed inside of it.
 * @throws {TsbuildError} NOT_FOUND for an unknown name
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
  return [user, group].some((text) => text !== '' && numberOf(text) === undefined)
}

function resolveUser(user: string, root: Tree): Ids {
  if (user === '') return ROOT_IDS
  const uid = numberOf(user)
  if (uid !== undefined) return { uid, gid: uid }
  const entries = readEntries(root, 'etc/passwd')
  const entry = entries.find(([name]) => name === user)
  const uidOfName = numberOf(entry?.[2])
  const gid = numberOf(entry?.[3])
  if (uidOfName !== undefined && gid !== undefined) return { uid: uidOfName, gid }
  throw unknownName('user', user, entries)
}

function resolveGroup(group: string, root: Tree): number {
  const number = numberOf(group)
  if (number !== undefined) return number
  const entries = readEntries(root, 'etc/group')
  const gid = numberOf(entries.find(([name]) => name === group)?.[2])
  if (gid !== undefined) return gid
  throw unknownName('group', group, entries)
}

/** `undefined` for what has to be looked up; `root` is always 0. */
function numberOf(text = ''): number | undefined {
  if (text === 'root') return 0
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return number <= MAX_ID ? number : undefined
}

function unknownName(
  what: 'user' | 'group',
  name: string,
  entries: readonly (readonly string[])[],
): TsbuildError {
  const file = what === 'user' ? 'passwd' : 'group'
  const similar = suggestion(
    name,
    entries.map(([known = '']) => known),
  )
  const advice = `add the ${what} in an earlier step, or give its number`
  return new TsbuildError(`unable to find ${what} ${name}: no matching entries in ${file} file`, {
    code: 'NOT_FOUND',
    hint: similar === undefined ? advice : `did you mean ${similar}? Otherwise ${advice}`,
  })
}

function readEntries(root: Tree, path: string): readonly (readonly string[])[] {
  const text = readSmallFile(root, path) ?? ''
  return text.split('\n').map((line) => line.split(':'))
}

/** `undefined` when there is no such regular file. */
function readSmallFile(root: Tree, path: string): string | undefined {
  const resolved = resolveInTree(root, nameOf(path), { followLast: true })
  const stat = root.lstat(resolved)
  if (stat?.type !== 'file') return undefined
  const descriptor = root.openFile(resolved)
  try {
    const { size } = fstatSync(descriptor)
    if (size > MAX_FILE_SIZE) {
      throw new TsbuildError(`/${path} has ${size} bytes, more than ${MAX_FILE_SIZE}`, {
        code: 'UNSUPPORTED',
      })
    }
    const buffer = Buffer.alloc(size)
    const length = readSync(descriptor, buffer, 0, size, 0)
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(descriptor)
  }
}
