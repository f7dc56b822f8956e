import assert from 'node:assert/strict'
import { SESSIONS } from './sessions/index.ts'
import { differentLines } from './support/compare.ts'
import { Decisions } from './support/decisions.ts'
import type { Engine } from './support/engine.ts'
import { type Client, play, type Said } from './support/play.ts'
import type { Session } from './support/session.ts'

/** What answers as docker does, or should. */
export interface Players {
  readonly client: Client
  /** Name of the docker that is compared with. */
  readonly witness: string
  /** What it says in a session; it need not be started for what is known. */
  readonly recall: (session: Session) => Promise<readonly Said[]>
  readonly startTested: () => Promise<Engine>
}

/** Milliseconds: hundreds of containers are started. */
const PATIENCE = 300_000

/** Plays every session on an engine, and compares what it says with what docker says. */
export function sessionsSuite(title: string, players: Players): void {
  describe(title, function () {
    this.timeout(PATIENCE)
    const decisions = new Decisions()
    let engine: Engine
    before(async () => {
      engine = await players.startTested()
    })
    after(async () => await engine?.[Symbol.asyncDispose]())

    for (const session of SESSIONS) {
      it(`${session.name}: says what docker says`, async () => {
        const theirs = await players.recall(session)
        const ours = await play(session, engine, players.client)
        const faults = theirs.flatMap((said, index) => {
          const lines = differentLines(said.lines, ours[index]?.lines ?? [])
          const step = `${session.name}: ${said.title}`
          const place = { step, engine: engine.name, witness: players.witness }
          const rest = decisions.unexplained(lines, place)
          return rest.length === 0 ? [] : [`$ ${said.title}`, ...rest]
        })
        assert.equal(faults.join('\n'), '')
      })
    }

    it('differs where it was decided', () => {
      assert.deepEqual(decisions.unmet(), [])
    })
  })
}
