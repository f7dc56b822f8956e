import { BUILD } from '../commands/build/build.ts'
import { CONTEXT } from '../commands/build/context.ts'
import { FMT } from '../commands/build/fmt.ts'
import { GRAPH } from '../commands/build/graph.ts'
import { PARSE } from '../commands/build/parse.ts'
import { REPLAY } from '../commands/build/replay.ts'
import { BUILDS } from '../commands/builds/builds.ts'
import { DEBUG } from '../commands/builds/debug.ts'
import { LOGS } from '../commands/builds/logs.ts'
import type { Command } from '../commands/command.ts'
import { COMPLETION } from '../commands/completion.ts'
import { CONFIG } from '../commands/config.ts'
import { DOCTOR } from '../commands/doctor.ts'
import { ENGINE_COMMANDS } from '../commands/engine/engine-commands.ts'
import { SERVE } from '../commands/engine/serve.ts'
import { HELP_COMMAND } from '../commands/help.ts'
import { IMAGES } from '../commands/images/images.ts'
import { INSPECT } from '../commands/images/inspect.ts'
import { TAG } from '../commands/images/tag.ts'
import { KANIKO } from '../commands/kaniko.ts'
import { COPY } from '../commands/registry/copy.ts'
import { HISTORY } from '../commands/registry/history.ts'
import { INDEX } from '../commands/registry/index-command.ts'
import { LOAD } from '../commands/registry/load.ts'
import { LOGIN } from '../commands/registry/login.ts'
import { LOGOUT } from '../commands/registry/logout.ts'
import { PULL } from '../commands/registry/pull.ts'
import { PUSH } from '../commands/registry/push.ts'
import { SAVE } from '../commands/registry/save.ts'
import { SEARCH } from '../commands/registry/search.ts'
import { SIGN } from '../commands/registry/sign.ts'
import { VERIFY } from '../commands/registry/verify.ts'
import { CACHE } from '../commands/store/cache.ts'
import { DU } from '../commands/store/du.ts'
import { PRUNE } from '../commands/store/prune.ts'
import { RMI } from '../commands/store/rmi.ts'
import { STORE } from '../commands/store/store.ts'
import { VERSION } from '../commands/version.ts'

/** Every command, in the order of the help. The first one is meant when none is named. */
export const COMMANDS: readonly [Command, ...Command[]] = [
  BUILD,
  SERVE,
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
  ...ENGINE_COMMANDS,
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
