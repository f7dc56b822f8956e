import { BUILD } from './commands/build.ts'
import { BUILDS } from './commands/builds/builds.ts'
import { DEBUG } from './commands/builds/debug.ts'
import { LOGS } from './commands/builds/logs.ts'
import { RUN } from './commands/builds/run.ts'
import type { Command } from './commands/command.ts'
import { COMPLETION } from './commands/completion.ts'
import { CONFIG } from './commands/config.ts'
import { CONTEXT } from './commands/context.ts'
import { DOCTOR } from './commands/doctor.ts'
import { FMT } from './commands/fmt.ts'
import { GRAPH } from './commands/graph.ts'
import { HELP_COMMAND } from './commands/help.ts'
import { IMAGES } from './commands/images.ts'
import { INSPECT } from './commands/inspect.ts'
import { KANIKO } from './commands/kaniko.ts'
import { PARSE } from './commands/parse.ts'
import { COPY } from './commands/registry/copy.ts'
import { HISTORY } from './commands/registry/history.ts'
import { INDEX } from './commands/registry/index-command.ts'
import { LOAD } from './commands/registry/load.ts'
import { LOGIN } from './commands/registry/login.ts'
import { LOGOUT } from './commands/registry/logout.ts'
import { PULL } from './commands/registry/pull.ts'
import { PUSH } from './commands/registry/push.ts'
import { SAVE } from './commands/registry/save.ts'
import { SEARCH } from './commands/registry/search.ts'
import { SIGN } from './commands/registry/sign.ts'
import { VERIFY } from './commands/registry/verify.ts'
import { REPLAY } from './commands/replay.ts'
import { CACHE } from './commands/store/cache.ts'
import { DU } from './commands/store/du.ts'
import { PRUNE } from './commands/store/prune.ts'
import { RMI } from './commands/store/rmi.ts'
import { STORE } from './commands/store/store.ts'
import { TAG } from './commands/tag.ts'
import { VERSION } from './commands/version.ts'

/** Every command, in the order of the help. The first one is meant when none is named. */
export const COMMANDS: readonly [Command, ...Command[]] = [
  BUILD,
  RUN,
  CONTEXT,
  PARSE,
  FMT,
  GRAPH,
  REPLAY,
  BUILDS,
  LOGS,
  DEBUG,
  CACHE,
  IMAGES,
  INSPECT,
  HISTORY,
  TAG,
  RMI,
  DU,
  PRUNE,
  STORE,
  PULL,
  COPY,
  INDEX,
  SAVE,
  LOAD,
  PUSH,
  SEARCH,
  SIGN,
  VERIFY,
  LOGIN,
  LOGOUT,
  CONFIG,
  DOCTOR,
  KANIKO,
  COMPLETION,
  VERSION,
  HELP_COMMAND,
]
