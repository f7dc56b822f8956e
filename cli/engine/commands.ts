import type { EngineCommand } from './command.ts'
import { KILL, PAUSE, RESTART, RM, STOP, UNPAUSE, WAIT } from './containers/lifecycle.ts'
import { PS } from './lists/ps.ts'
import { ATTACH, START } from './run/attach.ts'
import { EXEC } from './run/exec.ts'
import { CREATE, RUN } from './run/run.ts'

/** Commands of containers. */
const CONTAINER_COMMANDS: readonly EngineCommand[] = [
  RUN,
  CREATE,
  PS,
  START,
  STOP,
  RESTART,
  KILL,
  RM,
  EXEC,
  ATTACH,
  WAIT,
  PAUSE,
  UNPAUSE,
]

/** Every command that is a client of a daemon. */
export const ENGINE_COMMANDS: readonly EngineCommand[] = CONTAINER_COMMANDS
