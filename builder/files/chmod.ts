import { type FileStat, TsbuildError } from '#core'

/** What `--chmod` asks for. */
export interface Chmod {
  /** The mode of directories that are made on the way; only octal modes say it. */
  readonly created: number | undefined
  /** The new mode of a copied file or directory; links keep theirs. */
  apply(stat: FileStat): number
}

interface Clause {
  /** Bits that the clause may touch. */
  readonly who: number
  readonly operator: '+' | '-' | '='
  /** Letters of `rwxXst`, or one of `ugo` to copy from. */
  readonly permissions: string
}

const CLAUSES = /^[ugoa]*(?:[-+=](?:[rwxXst]+|[ugo])?)+$/
const USER = 0o4700
const GROUP = 0o2070
const OTHER = 0o1007
const SPECIAL = 0o6000

/** @throws {TsbuildError} DOCKERFILE_INVALID */
export function parseChmod(text: string): Chmod {
  if (/^\d+$/.test(text)) return octal(text)
  const clauses = text.split(',').flatMap((part) => parseClauses(part, text))
  return {
    created: undefined,
    apply: (stat) => {
      if (stat.type === 'symlink') return stat.mode
      const isDirectory = stat.type === 'directory'
      return clauses.reduce((mode, clause) => applyClause(clause, mode, isDirectory), stat.mode)
    },
  }
}

function octal(text: string): Chmod {
  const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN
  if (!(mode <= 0o7777)) throw invalid(text)
  return { created: mode, apply: (stat) => (stat.type === 'symlink' ? stat.mode : mode) }
}

function parseClauses(part: string, text: string): Clause[] {
  if (!CLAUSES.test(part)) throw invalid(text)
  const [letters = ''] = /^[ugoa]*/.exec(part) ?? []
  const who = whoMask(letters)
  return [...part.matchAll(/([-+=])([rwxXstugo]*)/g)].map(([, operator, permissions = '']) => ({
    who,
    operator: operator === '+' || operator === '-' ? operator : '=',
    permissions,
  }))
}

function whoMask(letters: string): number {
  if (letters === '' || letters.includes('a')) return 0o7777
  const user = letters.includes('u') ? USER : 0
  const group = letters.includes('g') ? GROUP : 0
  const other = letters.includes('o') ? OTHER : 0
  return user | group | other
}

/** As chmod(1) of GNU with umask 0: `=` keeps a directory's setuid and setgid unless named. */
function applyClause(clause: Clause, mode: number, isDirectory: boolean): number {
  const bits = permissionBits(clause.permissions, mode, isDirectory) & clause.who
  switch (clause.operator) {
    case '+':
      return mode | bits
    case '-':
      return mode & ~bits
    default: {
      const kept = isDirectory && !clause.permissions.includes('s') ? mode & SPECIAL : 0
      return (mode & ~clause.who) | bits | kept
    }
  }
}

function permissionBits(permissions: string, mode: number, isDirectory: boolean): number {
  let bits = 0
  for (const letter of permissions) bits |= letterBits(letter, mode, isDirectory)
  return bits
}

function letterBits(letter: string, mode: number, isDirectory: boolean): number {
  switch (letter) {
    case 'r':
      return 0o444
    case 'w':
      return 0o222
    case 'x':
      return 0o111
    case 'X':
      return isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0
    case 's':
      return SPECIAL
    case 't':
      return 0o1000
    case 'u':
      return ((mode >> 6) & 7) * 0o111
    case 'g':
      return ((mode >> 3) & 7) * 0o111
    default:
      return (mode & 7) * 0o111
  }
}

function invalid(text: string): TsbuildError {
  return new TsbuildError(
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    {
      code: 'DOCKERFILE_INVALID',
      hint: 'symbolic modes work too, e.g. --chmod=u=rwX,go=rX',
    },
  )
}
