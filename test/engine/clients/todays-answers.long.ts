/**
 * `fixtures/engine/todays-docker.txt` has what today's dockerd answers Debian's client and dockerode where it is not what
 * Debian's dockerd does; with UPDATE=1 it is written.
 */
import assert from 'node:assert/strict'
import { findPeers, unpackPeers } from '../../support/peers/index.ts'
import { sessionPlay } from './compared/session-play.ts'
import {
  readTodaysAnswers,
  type TodaysAnswers,
  todaysAnswers,
  writeTodaysAnswers,
} from './compared/todays-answers.ts'
import { type Play, type Witness, witnessOf } from './compared/witness.ts'
import { DOCKERODE } from './libraries/dockerode-play.ts'
import { SESSIONS } from './sessions/index.ts'

const CLIENT = { name: 'docker.io' }
const peers = findPeers()

async function compareDockers(debians: Witness, todays: Witness): Promise<TodaysAnswers> {
  const plays: readonly (readonly [string, Play])[] = [
    ...SESSIONS.map((session) => [session.name, sessionPlay(session, CLIENT)] as const),
    ['dockerode', DOCKERODE],
  ]
  const all = new Map<string, readonly string[]>()
  for (const [name, play] of plays) {
    const found = todaysAnswers(name, await debians.recall(play), await todays.recall(play))
    for (const [step, lines] of found) all.set(step, lines)
  }
  return all
}

if (peers !== undefined) {
  describe("where today's docker answers otherwise", function () {
    this.timeout(1_200_000)

    it('is what the list says', async () => {
      await using debians = witnessOf()
      await using todays = witnessOf(await unpackPeers(peers))
      const answers = await compareDockers(debians, todays)
      assert.ok(answers.size > 0)
      if (process.env.UPDATE === '1') writeTodaysAnswers(answers)
      assert.deepEqual(readTodaysAnswers(), answers)
    })
  })
}
