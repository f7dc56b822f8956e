import { BUILD } from './build.ts'
import { CACHE } from './cache.ts'
import type { Command } from './command.ts'
import { COMPLETION } from './completion.ts'
import { CONTEXT } from './context.ts'
import { FMT } from './fmt.ts'
import { GRAPH } from './graph.ts'
import { HELP_COMMAND } from './help.ts'
import { IMAGES } from './images.ts'
import { INSPECT } from './inspect.ts'
import { KANIKO } from './kaniko.ts'
import { LOGIN, LOGOUT } from './login.ts'
import { PARSE } from './parse.ts'
import { PUSH } from './push.ts'
import { REPLAY } from './replay.ts'
import { RMI } from './rmi.ts'
import { TAG } from './tag.ts'
import { VERSION } from './version.ts'

/** Every command, in the order of the help. The first one is meant when none is named. */
export const COMMANDS: readonly [Command, ...Command[]] = [
  BUILD,
  CONTEXT,
  PARSE,
  FMT,
  GRAPH,
  REPLAY,
  CACHE,
  IMAGES,
  INSPECT,
  TAG,
  RMI,
  PUSH,
  LOGIN,
  LOGOUT,
  KANIKO,
  COMPLETION,
  VERSION,
  HELP_COMMAND,
]
