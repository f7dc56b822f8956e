import { resolveRoot } from '#builder'
import { openStore, type Store } from '#cache'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'

/** The store that `--root` or the environment names. */
export function openLocalStore(args: Arguments, shell: Shell): Store {
  return openStore(args.text('root') ?? resolveRoot(shell.env))
}
