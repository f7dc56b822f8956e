import { type Command, HELP } from './command.ts'
import { BUILD } from './commands-build.ts'
import { CONTEXT, FMT, GRAPH, PARSE } from './commands-dockerfile.ts'
import { IMAGES, INSPECT, LOGIN, LOGOUT, PUSH, RMI, TAG } from './commands-images.ts'

const VERSION: Command = {
  name: 'version',
  summary: 'Show the version',
  usage: 'tsbuild version',
  flags: [HELP],
  examples: [],
  namespace: false,
}

const HELP_COMMAND: Command = {
  name: 'help',
  summary: 'Show help on a command',
  usage: 'tsbuild help [COMMAND]',
  flags: [HELP],
  examples: [],
  namespace: false,
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  BUILD,
  CONTEXT,
  PARSE,
  FMT,
  GRAPH,
  IMAGES,
  INSPECT,
  TAG,
  RMI,
  PUSH,
  LOGIN,
  LOGOUT,
  VERSION,
  HELP_COMMAND,
]

/** The command that is meant when none is named. */
export const DEFAULT_COMMAND: Command = BUILD
