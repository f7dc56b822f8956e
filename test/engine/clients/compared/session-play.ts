import { type Client, play } from '../support/play.ts'
import type { Session } from '../support/session.ts'
import type { Play } from './witness.ts'

/** A session by a client, for any engine. */
export function sessionPlay(session: Session, client: Client): Play {
  return { key: [client, session], on: (engine) => play(session, engine, client) }
}
