import { type ErrorCode, TsbuildError } from '../errors.ts'
import { suggestion } from '../suggest.ts'

/*
 * Users and groups of an image, for USER, --chown and the owner of WORKDIR. One rule says what is a
 * number: an image decides what its names mean, but never what a number means.
 */

/** Bytes of an image's passwd or group file that are read at most. */
export const MAX_ACCOUNTS_FILE: number = 10 * 1024 * 1024
/** Ids above are negative for some programs, and 2^32 - 1 means "do not change" to the kernel. */
const MAX_ID = 2 ** 31 - 1
const INTEGER = /^-?\d+$/
const NUMBER = /^\d+$/

/** A line of /etc/passwd. Spec: passwd(5) */
export interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** A line of /etc/group. Spec: group(5) */
export interface GroupEntry {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/** What is looked for, and the code of the error when it is not found. */
export interface AccountLookup {
  readonly what: 'user' | 'group'
  readonly code: ErrorCode
}

/** The users of a passwd file, without lines that are damaged or whose ids are out of range. */
export function parsePasswd(text: string): readonly PasswdEntry[] {
  return linesOf(text).flatMap((line) => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':')
    if (name === '' || !isInRange(uid) || !isInRange(gid)) return []
    return [{ name, uid: Number(uid), gid: Number(gid), home }]
  })
}

/** The groups of a group file, without lines that are damaged or whose id is out of range. */
export function parseGroups(text: string): readonly GroupEntry[] {
  return linesOf(text).flatMap((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':')
    if (name === '' || !isInRange(gid)) return []
    return [{ name, gid: Number(gid), members: members.split(',') }]
  })
}

/** True for what is an id and never a name, whether or not it is in range. */
export function isAccountId(text: string): boolean {
  return INTEGER.test(text)
}

/**
 * The id that `text` is, or `undefined` for a name.
 * @throws {TsbuildError} for a number that is out of range, also where the image has such a name
 */
export function parseAccountId(text: string, { what, code }: AccountLookup): number | undefined {
  if (!isAccountId(text)) return undefined
  if (isInRange(text)) return Number(text)
  const reason = `uids and gids must be in range 0-${MAX_ID}`
  throw new TsbuildError(`unable to find ${what} ${text}: ${reason}`, { code })
}

/** The failure to find a name among those that the image has. */
export function unknownAccountError(
  name: string,
  known: readonly { readonly name: string }[],
  { what, code }: AccountLookup,
): TsbuildError {
  const file = what === 'user' ? 'passwd' : 'group'
  const similar = suggestion(
    name,
    known.map((entry) => entry.name),
  )
  const advice = `add the ${what} in an earlier step, or give its number`
  return new TsbuildError(`unable to find ${what} ${name}: no matching entries in ${file} file`, {
    code,
    hint: similar === undefined ? advice : `did you mean ${similar}? Otherwise ${advice}`,
  })
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').map((line) => line.trim())
}

function isInRange(text: string): boolean {
  return NUMBER.test(text) && Number(text) <= MAX_ID
}
