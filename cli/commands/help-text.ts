import type { Flag } from '../arguments/flags.ts'
import type { Command } from './command.ts'

const WIDTH = 96
/** A flag that is longer than this gets its description on the next line. */
const FLAG_COLUMN = 34

/** The help of the whole program: the commands, and everything about the first one, a build. */
export function programHelp(commands: readonly Command[]): string {
  return [
    'tsbuild builds OCI images from Dockerfiles: one process, no daemon, no root.\n',
    usageBlock(['tsbuild [build] [flags] CONTEXT', 'tsbuild COMMAND [flags] [arguments]']),
    columnsBlock(
      'Commands',
      commands.map(({ name, summary }) => [name, summary] as const),
      14,
    ),
    ...commands.slice(0, 1).map(commandBody),
    'tsbuild COMMAND --help tells more about a command.\n',
  ].join('\n')
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  return [`${command.summary}.\n`, usageBlock([command.usage]), commandBody(command)].join('\n')
}

function commandBody(command: Command): string {
  const { subcommands = [] } = command
  const names = subcommands.map(({ name, summary }) => [name, summary] as const)
  const list = names.length === 0 ? [] : [columnsBlock('Commands', names, 14)]
  const shown = command.flags.filter(({ isHidden }) => isHidden !== true)
  const groups = Map.groupBy(shown, (flag) => flag.group)
  const blocks = [...groups].map(([title, flags]) =>
    columnsBlock(
      title,
      flags.map((flag) => [flagSyntax(flag), flag.help + (flag.repeat ? ' (repeatable)' : '')]),
      FLAG_COLUMN,
    ),
  )
  const tables = (command.tables ?? []).map(({ title, rows }) =>
    columnsBlock(title, rows, FLAG_COLUMN),
  )
  const notes = (command.notes ?? []).map((note) => `${wrap(note, WIDTH).join('\n')}\n`)
  const examples =
    command.examples.length === 0
      ? []
      : [
          `Examples:\n${command.examples
            .map(([line, meaning]) => `  ${line}\n      ${meaning}\n`)
            .join('')}`,
        ]
  return [...list, ...blocks, ...tables, ...notes, ...examples].join('\n')
}

function usageBlock(lines: readonly string[]): string {
  return `Usage:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

/** `-t, --tag NAME`, long names aligned whether there is a short one or not. */
function flagSyntax(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `
  return `${short}--${flag.name}${flag.metavar === undefined ? '' : ` ${flag.metavar}`}`
}

function columnsBlock(
  title: string,
  rows: readonly (readonly [string, string])[],
  left: number,
): string {
  const lines = rows.flatMap(([term, text]) => {
    const [first = '', ...rest] = wrap(text, WIDTH - left)
    const indent = ' '.repeat(left)
    const head = `  ${term}`
    const fits = head.length <= left - 2
    return [
      ...(fits ? [head.padEnd(left) + first] : [head, indent + first]),
      ...rest.map((line) => indent + line),
    ]
  })
  return `${title}:\n${lines.map((line) => `${line}\n`).join('')}`
}

/** Breaks a paragraph into lines of at most `width` characters. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
