import { closeSync } from 'node:fs'
import { resolveInTree } from '#builder/layer'
import { readBounded } from '#builder/linux'
import {
  MAX_ACCOUNTS_FILE,
  type Name,
  parseAccountId,
  parseGroups,
  parsePasswd,
  type Tree,
  TsbuildError,
  unknownAccountError,
} from '#core'
import type { Owner } from './archive-applier.ts'

const USER = { what: 'user', code: 'USAGE' } as const
const GROUP = { what: 'group', code: 'USAGE' } as const

/**
 * The ids of `USER[:GROUP]` by the accounts of a container.
 * @throws {TsbuildError} USAGE for a name that it does not have
 */
export function ownerOf(tree: Tree, text: string): Owner {
  const [user = '', group = ''] = text.split(':')
  const users = parsePasswd(readAccounts(tree, 'etc/passwd' as Name))
  const id = parseAccountId(user, USER)
  const found = users.find(({ name, uid }) => (id === undefined ? name === user : uid === id))
  const uid = found?.uid ?? id
  if (uid === undefined) throw unknownAccountError(user, users, USER)
  return { uid, gid: group === '' ? (found?.gid ?? 0) : groupIdOf(tree, group) }
}

function groupIdOf(tree: Tree, text: string): number {
  const id = parseAccountId(text, GROUP)
  if (id !== undefined) return id
  const groups = parseGroups(readAccounts(tree, 'etc/group' as Name))
  const found = groups.find(({ name }) => name === text)
  if (found === undefined) throw unknownAccountError(text, groups, GROUP)
  return found.gid
}

/** Empty where there is no such file. */
function readAccounts(tree: Tree, path: Name): string {
  const real = resolveInTree(tree, path, { followLast: true })
  if (tree.lstat(real)?.type !== 'file') return ''
  const file = tree.openFile(real)
  try {
    const refuse = (why: string): TsbuildError =>
      new TsbuildError(`read /${path}: ${why}`, { code: 'USAGE' })
    return readBounded(file, { limit: MAX_ACCOUNTS_FILE, refuse }).toString()
  } finally {
    closeSync(file)
  }
}
