import { Comparison } from './compared/comparison.ts'
import { sessionPlay } from './compared/session-play.ts'
import type { Witness } from './compared/witness.ts'
import { SESSIONS } from './sessions/index.ts'
import type { Engine } from './support/engine.ts'
import type { Client } from './support/play.ts'
import type { Session } from './support/session.ts'

/** Who plays the sessions. */
export interface Players {
  readonly client: Client
  readonly witness: Witness
  readonly startTested: () => Promise<Engine>
  /** Default: those of all clients. */
  readonly sessions?: readonly Session[]
  /** The sessions that are played; absent: all. */
  readonly names?: readonly string[]
}

/** Milliseconds: a witness may have to play a session of dozens of containers. */
const PATIENCE = 300_000

/** Plays sessions on an engine, and compares what it says with what docker says. */
export function sessionsSuite(
  title: string,
  { client, witness, startTested, names, sessions = SESSIONS }: Players,
): void {
  describe(title, function () {
    this.timeout(PATIENCE)
    let engine: Engine
    let comparison: Comparison
    before(async () => {
      engine = await startTested()
      comparison = new Comparison({ engine: engine.name, witness: witness.name })
    })
    after(async () => await engine?.[Symbol.asyncDispose]())

    for (const session of sessions.filter(({ name }) => names?.includes(name) ?? true)) {
      it(`${session.name}: says what docker says`, async function () {
        if (session.needs === 'limits' && !engine.hasLimits) this.skip()
        const play = sessionPlay(session, client)
        comparison.check(session.name, await witness.recall(play), await play.on(engine))
      })
    }

    // What was decided for sessions that are not played is met by none.
    if (names === undefined) {
      it('differs where it was decided', () => comparison.checkDecisions())
    }
  })
}
