import type { Session } from '../support/session.ts'
import { BLOCK_IO } from './block-io.ts'
import { BUILD } from './build.ts'
import { COMPOSE } from './compose.ts'
import { COPY } from './copy.ts'
import { DOCKER_PY } from './docker-py.ts'
import { EVENTS } from './events.ts'
import { EXEC } from './exec.ts'
import { HEALTH_AND_RESTARTS, HUNGER } from './health.ts'
import { IMAGES, LOGIN } from './images.ts'
import { LIFE } from './life.ts'
import { LISTING } from './listing.ts'
import { LOGS } from './logs.ts'
import { NETWORKS, PORTS } from './networks.ts'
import { RUN } from './run.ts'
import { SYSTEM } from './system.ts'
import { TERMINALS } from './terminals.ts'
import { VOLUMES } from './volumes.ts'

/** All sessions. */
export const SESSIONS: readonly Session[] = [
  RUN,
  TERMINALS,
  LIFE,
  LISTING,
  EXEC,
  COPY,
  LOGS,
  IMAGES,
  LOGIN,
  BUILD,
  NETWORKS,
  PORTS,
  VOLUMES,
  EVENTS,
  HEALTH_AND_RESTARTS,
  HUNGER,
  SYSTEM,
  COMPOSE,
  DOCKER_PY,
  BLOCK_IO,
]
