import { isCancelled, TsbuildError } from '#core'
import type { Arguments } from '../../arguments/flags.ts'
import { ask } from '../../io/prompt.ts'
import { print, type Shell } from '../../terminal/shell.ts'

/**
 * Asks whether what is removed may be, unless `--force` says so.
 * @param what for the message when it may not: `container prune`
 * @throws {TsbuildError} CANCELLED
 */
export async function confirmRemoval(
  warning: string,
  what: string,
  { args, shell }: { readonly args: Arguments; readonly shell: Shell },
): Promise<void> {
  if (args.has('force')) return
  await print(shell, `${warning}\nAre you sure you want to continue? [y/N] `)
  const answer = await answerOf(shell)
  if (/^(?:y|yes)$/i.test(answer.trim())) return
  throw new TsbuildError(`${what} has been cancelled`, { code: 'CANCELLED' })
}

/** No answer is none. */
async function answerOf(shell: Shell): Promise<string> {
  try {
    return await ask('', shell)
  } catch (cause) {
    if (isCancelled(cause) && !shell.signal.aborted) return ''
    throw cause
  }
}
