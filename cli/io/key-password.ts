import { usageError } from '#core'
import type { Shell } from '../terminal/shell.ts'
import { askSecret } from './prompt.ts'
import { readStandardInput } from './standard-input.ts'

/** How a password is asked for. */
interface PasswordOptions {
  /** It is the first line of standard input. */
  readonly isPiped?: boolean
  /** It is asked for twice: nobody can correct what is encrypted with a misspelt one. */
  readonly isNew?: boolean
}

const MAX_PASSWORD_BYTES = 1 << 20

/**
 * The password of a private key, which may be empty: of standard input, `COSIGN_PASSWORD`, or the person at the
 * terminal.
 * @throws {TsbuildError} USAGE where there is none of these, CANCELLED
 */
export async function keyPassword(
  shell: Shell,
  { isPiped = false, isNew = false }: PasswordOptions = {},
): Promise<string> {
  if (isPiped) {
    return (await readStandardInput(shell, MAX_PASSWORD_BYTES)).toString().replace(/\r?\n$/, '')
  }
  const { COSIGN_PASSWORD } = shell.env
  if (COSIGN_PASSWORD !== undefined) return COSIGN_PASSWORD
  if (shell.stdin.isTTY !== true) {
    throw usageError(
      'the key has a password, and there is no terminal to ask for it',
      'set COSIGN_PASSWORD; it is set and empty for a key with an empty password',
    )
  }
  const password = await askSecret('Password of the private key: ', shell)
  if (isNew && (await askSecret('The same again: ', shell)) !== password) {
    throw usageError('the two passwords are not the same', 'nothing was written; try again')
  }
  return password
}
