import { COMMIT, DIFF, EXPORT, IMPORT, RENAME, UPDATE } from './containers/changes.ts'
import { KILL, PAUSE, RESTART, RM, STOP, UNPAUSE, WAIT } from './containers/lifecycle.ts'
import { CONTAINER_LOGS } from './containers/logs.ts'
import { PORT, TOP } from './containers/looks.ts'
import { STATS } from './containers/stats.ts'
import { COPY } from './copy/cp.ts'
import type { EngineCommand } from './definition/command.ts'
import { groupOf } from './definition/groups.ts'
import { inspectCommand } from './inspect/inspect-of.ts'
import { PS } from './lists/ps.ts'
import { NETWORK_COMMANDS } from './networks/networks.ts'
import { ATTACH, START } from './run/attach.ts'
import { EXEC } from './run/exec.ts'
import { CREATE, RUN } from './run/run.ts'
import { DF } from './system/df.ts'
import { DIAL_STDIO } from './system/dial-stdio.ts'
import { EVENTS } from './system/events.ts'
import { INFO } from './system/info.ts'
import { CONTAINER_PRUNE, SYSTEM_PRUNE } from './system/prune.ts'
import { VOLUME_COMMANDS } from './volumes/volumes.ts'

/** Commands of containers that stand alone, and behind `container`. */
const CONTAINER_COMMANDS: readonly EngineCommand[] = [
  RUN,
  CREATE,
  START,
  STOP,
  RESTART,
  KILL,
  RM,
  EXEC,
  ATTACH,
  COPY,
  COMMIT,
  DIFF,
  EXPORT,
  TOP,
  STATS,
  PORT,
  WAIT,
  PAUSE,
  UNPAUSE,
  RENAME,
  UPDATE,
]

const CONTAINER = groupOf('container', 'Everything about containers', [
  { ...PS, name: 'ls', aliases: ['list', 'ps'] },
  ...CONTAINER_COMMANDS,
  CONTAINER_LOGS,
  inspectCommand('container'),
  CONTAINER_PRUNE,
])

/** Every command that is a client of a daemon. */
export const ENGINE_COMMANDS: readonly EngineCommand[] = [
  PS,
  ...CONTAINER_COMMANDS,
  IMPORT,
  EVENTS,
  INFO,
  CONTAINER,
  groupOf('volume', 'Make, list and remove volumes', VOLUME_COMMANDS),
  groupOf('network', 'Make, list and remove networks', NETWORK_COMMANDS),
  groupOf('system', 'What a daemon has, and removing what is not used', [
    DF,
    EVENTS,
    INFO,
    SYSTEM_PRUNE,
    DIAL_STDIO,
  ]),
]
