import { isCancelled } from '#core'
import type { Arguments } from '../../arguments/flags.ts'
import { ask } from '../../io/prompt.ts'
import { print, type Shell } from '../../terminal/shell.ts'

/** Asks whether what is removed may be, unless `--force` says so. No answer is none. */
export async function confirmRemoval(
  warning: string,
  { args, shell }: { readonly args: Arguments; readonly shell: Shell },
): Promise<boolean> {
  if (args.has('force')) return true
  await print(shell, `${warning}\nAre you sure you want to continue? [y/N] `)
  const answer = await answerOf(shell)
  return /^(?:y|yes)$/i.test(answer.trim())
}

async function answerOf(shell: Shell): Promise<string> {
  try {
    return await ask('', shell)
  } catch (cause) {
    if (isCancelled(cause) && !shell.signal.aborted) return ''
    throw cause
  }
}
