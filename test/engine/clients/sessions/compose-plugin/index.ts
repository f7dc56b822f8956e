import type { Session } from '../../support/session.ts'
import { COMPOSE_CHANGES } from './changes.ts'
import { COMPOSE_SHOP } from './shop.ts'

/** Sessions of compose 5 as a plugin of docker's command. */
export const COMPOSE_PLUGIN: readonly Session[] = [COMPOSE_SHOP, COMPOSE_CHANGES]
