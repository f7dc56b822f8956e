import { usageError } from '#core'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { bashScript, type CompletedCommand } from './bash-script.ts'
import { fishScript } from './fish-script.ts'

const ZSH = 'autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n'

const SCRIPTS: ReadonlyMap<string, (commands: readonly CompletedCommand[]) => string> = new Map([
  ['bash', bashScript],
  ['zsh', (commands) => ZSH + bashScript(commands)],
  ['fish', fishScript],
])

/** `tsbuild completion` */
export async function runCompletion(
  args: Arguments,
  shell: Shell,
  commands: readonly CompletedCommand[],
): Promise<number> {
  const usage = 'tsbuild completion bash|zsh|fish'
  const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const script = SCRIPTS.get(name)
  if (script === undefined) {
    throw usageError(`unknown shell "${name}"`, `choose one of ${[...SCRIPTS.keys()].join(', ')}`)
  }
  await print(shell, script(commands))
  return 0
}
