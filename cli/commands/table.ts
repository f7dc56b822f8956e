import { BUILD } from './build/build.ts'
import { CONTEXT } from './build/context.ts'
import { FMT } from './build/fmt.ts'
import { GRAPH } from './build/graph.ts'
import { PARSE } from './build/parse.ts'
import { REPLAY } from './build/replay.ts'
import { BUILDS } from './builds/builds.ts'
import { DEBUG } from './builds/debug.ts'
import { LOGS } from './builds/logs.ts'
import type { Command } from './command.ts'
import { COMPLETION } from './completion.ts'
import { CONFIG } from './config.ts'
import { DOCTOR } from './doctor.ts'
import { ENGINE_COMMANDS } from './engine/engine-commands.ts'
import { SERVE } from './engine/serve.ts'
import { HELP_COMMAND } from './help.ts'
import { IMAGES } from './images/images.ts'
import { INSPECT } from './images/inspect.ts'
import { TAG } from './images/tag.ts'
import { KANIKO } from './kaniko.ts'
import { COPY } from './registry/copy.ts'
import { HISTORY } from './registry/history.ts'
import { INDEX } from './registry/index-command.ts'
import { LOAD } from './registry/load.ts'
import { LOGIN } from './registry/login.ts'
import { LOGOUT } from './registry/logout.ts'
import { PULL } from './registry/pull.ts'
import { PUSH } from './registry/push.ts'
import { SAVE } from './registry/save.ts'
import { SEARCH } from './registry/search.ts'
import { SIGN } from './registry/sign.ts'
import { VERIFY } from './registry/verify.ts'
import { CACHE } from './store/cache.ts'
import { DU } from './store/du.ts'
import { PRUNE } from './store/prune.ts'
import { RMI } from './store/rmi.ts'
import { STORE } from './store/store.ts'
import { VERSION } from './version.ts'

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
