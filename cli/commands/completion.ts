import { HELP } from '../arguments/common-flags.ts'
import { type Command, loadCommand } from './command.ts'

/** `tsbuild completion` */
export const COMPLETION: Command = {
  name: 'completion',
  summary: 'Print a script with which a shell completes command lines',
  usage: 'tsbuild completion bash|zsh|fish',
  flags: [HELP],
  examples: [
    ['source <(tsbuild completion bash)', 'for this bash, or in ~/.bashrc for each'],
    ['source <(tsbuild completion zsh)', 'for this zsh, or in ~/.zshrc for each'],
    ['tsbuild completion fish | source', 'for this fish, or in config.fish for each'],
  ],
  run: async (args, shell, commands) => {
    const { runCompletion } = await import('../completion/run-completion.ts')
    const loaded = await Promise.all(commands.map(loadCommand))
    return await runCompletion(args, shell, loaded)
  },
}
