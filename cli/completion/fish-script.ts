import type { Flag } from '../arguments/flags.ts'
import type { CompletedCommand } from './bash-script.ts'

/** The script that fish sources to complete command lines. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const [, ...others] = commands.map(({ name }) => name)
  return commands
    .flatMap(({ name, summary, flags, subcommands = [] }, index) => {
      const seen = '__fish_seen_subcommand_from'
      // The first command is meant where no other one is named.
      const when = index === 0 ? `not ${seen} ${others.join(' ')}` : `${seen} ${name}`
      const shown = flags.filter(({ isHidden }) => isHidden !== true)
      return [
        `-n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
        ...subcommands.map((one) => `-n ${quoted(when)} -a ${one.name} -d ${quoted(one.summary)}`),
        ...shown.map((flag) => `-n ${quoted(when)} ${flagOptions(flag)} -d ${quoted(flag.help)}`),
      ]
    })
    .map((options) => `complete -c tsbuild ${options}\n`)
    .join('')
}

function flagOptions({ name, short, metavar, values = [] }: Flag): string {
  const names = `-l ${name}${short === undefined ? '' : ` -s ${short}`}`
  if (metavar === undefined) return names
  return values === 'paths' ? `${names} -r -F` : `${names} -x -a ${quoted(values.join(' '))}`
}

/** `text` as one word of fish. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}
