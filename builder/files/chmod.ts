import { type FileStat, TsbuildError } from '#core'

/** What `--chmod` asks for. */
export interface Chmod {
  /** The mode of directories that are made on the way; only octal modes say it. */
  readonly created: number | undefined
  /** The new mode of a copied file or directory; links keep theirs. */
  apply(stat: FileStat): number
}

interface Clause {
  /** Bits that the clause may touch; 0 when it names no one. */
  readonly who: number
  readonly operator: '+' | '-' | '='
  /** Letters of `rwxXst`, or one of `ugo` to copy from. */
  readonly permissions: string
}

const CLAUSES = /^[ugoa]*(?:[-+=](?:[rwxXst]+|[ugo])?)+$/
const USER = 0o4700
const GROUP = 0o2070
const OTHER = 0o0007
const ALL = USER | GROUP | OTHER
const SPECIAL = 0o6000
const STICKY = 0o1000

/** @throws {TsbuildError} DOCKERFILE_INVALID */
export function parseChmod(text: string): Chmod {
  if (/^\d+$/.test(text)) return octal(text)
  const clauses = text.split(',').flatMap((part) => parseClauses(part, text))
  return {
    created: undefined,
    apply: (stat) => {
      if (stat.type === 'symlink') return stat.mode
      // `X` is `x` for a directory, and for a file that was executable for a class before.
      const mayExecute = stat.type === 'directory' || (stat.mode & 0o111) !== 0
      const executeBits = mayExecute ? 0o111 : 0
      return clauses.reduce((mode, clause) => applyClause(clause, mode, executeBits), stat.mode)
    },
  }
}

function octal(text: string): Chmod {
  const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN
  if (!(mode <= 0o7777)) throw invalidModeError(text)
  return { created: mode, apply: (stat) => (stat.type === 'symlink' ? stat.mode : mode) }
}

function parseClauses(part: string, text: string): Clause[] {
  if (!CLAUSES.test(part)) throw invalidModeError(text)
  const [letters = ''] = /^[ugoa]*/.exec(part) ?? []
  const who = whoMask(letters)
  return [...part.matchAll(/([-+=])([rwxXstugo]*)/g)].map(([, operator, permissions = '']) => ({
    who,
    operator: operator === '+' || operator === '-' ? operator : '=',
    permissions,
  }))
}

function whoMask(letters: string): number {
  const user = /[ua]/.test(letters) ? USER : 0
  const group = /[ga]/.test(letters) ? GROUP : 0
  const other = /[oa]/.test(letters) ? OTHER : 0
  return user | group | other
}

/**
 * As setmode(3) of BSD with umask 0: files and directories are alike, `s` and `t` mean nothing to
 * others alone, and only `t` touches the sticky bit. It is what BuildKit does, and not what
 * chmod(1) of GNU does.
 * @param executeBits the bits that `X` stands for
 */
function applyClause(clause: Clause, mode: number, executeBits: number): number {
  const { who, operator, permissions } = clause
  if (/[ugo]/.test(permissions)) return copyBits(clause, mode)
  const hasSpecial = who === 0 || (who & ~OTHER) !== 0
  const named = who | (hasSpecial && permissions.includes('t') ? STICKY : 0)
  let bits = 0
  for (const letter of permissions) bits |= letterBits(letter, hasSpecial)
  if (named !== 0) bits &= named
  const conditional = permissions.includes('X') ? executeBits & (who || ALL) : 0
  switch (operator) {
    case '+':
      return mode | bits | conditional
    case '-':
      return mode & ~(bits | conditional)
    default:
      return (mode & ~(named || ALL)) | bits | conditional
  }
}

/** `g=u`: the three bits of one class for others. */
function copyBits({ who, operator, permissions }: Clause, mode: number): number {
  const shift = permissions === 'u' ? 6 : permissions === 'g' ? 3 : 0
  const classes = 0o777 & (who || ALL)
  const bits = (((mode >> shift) & 7) * 0o111) & classes
  if (operator === '+') return mode | bits
  return operator === '-' ? mode & ~bits : (mode & ~classes) | bits
}

function letterBits(letter: string, hasSpecial: boolean): number {
  switch (letter) {
    case 'r':
      return 0o444
    case 'w':
      return 0o222
    case 'x':
      return 0o111
    case 's':
      return hasSpecial ? SPECIAL : 0
    case 't':
      return hasSpecial ? STICKY : 0
    default:
      return 0
  }
}

function invalidModeError(text: string): TsbuildError {
  return new TsbuildError(
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    {
      code: 'DOCKERFILE_INVALID',
      hint: 'symbolic modes work too, e.g. --chmod=u=rwX,go=rX',
    },
  )
}
