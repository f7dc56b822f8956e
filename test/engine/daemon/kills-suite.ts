import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { processesOf } from '../../suites/sandbox/host-processes.ts'
import { untilEmpty } from '../../support/peers/index.ts'
import { seededRandom } from '../../support/random/index.ts'
import { ask } from '../support/socket-http.ts'
import { type Expected, type Known, playBusily } from './support/busy-session.ts'
import { type DaemonPlace, daemonPlace, linksIn } from './support/daemon.ts'

/** Milliseconds in which processes of a killed daemon are gone. */
const GONE = 1000

interface Listed {
  readonly Id: string
  readonly Names: readonly string[]
  readonly State: string
}

/** Kills daemons at random moments of busy sessions, each on the store that the one before has left. */
export function killsSuite(seeds: readonly number[]): void {
  describe('a daemon that is killed in the middle of everything', function () {
    this.timeout(120_000)
    let place: DaemonPlace

    before(async () => {
      place = await daemonPlace()
    })
    after(() => place[Symbol.asyncDispose]())

    for (const seed of seeds) {
      it(`leaves nothing, and loses nothing that it has acknowledged: ${seed}`, async () => {
        const random = seededRandom(seed)
        const token = `${7_000_000 + seed}`
        const daemon = await place.start()
        const { socket } = place
        const session = playBusily({ socket, random, token, prefix: `s${seed}` })
        await delay(300 + random() * 1500)
        process.kill(daemon.pid, 'SIGKILL')
        const expected = await session
        assert.ok(expected.containers.size > 0, 'the session was busy')
        assert.deepEqual(expected.refusals, [])
        assert.deepEqual(await untilEmpty(() => processesOf(`sleep ${token}`), GONE), [])
        await daemon[Symbol.asyncDispose]()
        await using _next = await place.start()
        await checkState(place, expected)
        // There are some thirty subnets for all sessions of a place.
        assert.equal((await ask(place.socket, 'POST', '/networks/prune')).status, 200)
      })
    }

    it('leaves a place that is empty when all is removed', async () => {
      {
        await using _daemon = await place.start()
        for (const { Id } of await containersOf(place)) {
          await ask(place.socket, 'DELETE', `/containers/${Id}?force=1&v=1`)
        }
        await ask(place.socket, 'POST', '/volumes/prune?filters={"all":["true"]}')
        await ask(place.socket, 'POST', '/networks/prune')
      }
      assert.deepEqual(await linksIn(place), ['lo'])
      assert.deepEqual(readdirSync(`${place.root}/containers`), [])
      assert.deepEqual(readdirSync(`${place.root}/volumes`), [])
      assert.ok(!existsSync(place.socket))
    })
  })
}

async function containersOf({ socket }: DaemonPlace): Promise<readonly Listed[]> {
  return JSON.parse((await ask(socket, 'GET', '/containers/json?all=1')).body)
}

async function checkState(place: DaemonPlace, expected: Expected): Promise<void> {
  const { socket } = place
  const containers = await containersOf(place)
  const states = new Map(containers.map(({ Names, State }) => [Names[0]?.slice(1) ?? '', State]))
  for (const [name, known] of expected.containers) checkContainer(name, known, states.get(name))
  const { Volumes } = JSON.parse((await ask(socket, 'GET', '/volumes')).body)
  checkThere(expected.volumes, new Set(Volumes.map(({ Name }: { Name: string }) => Name)))
  const networks = JSON.parse((await ask(socket, 'GET', '/networks')).body)
  checkThere(expected.networks, new Set(networks.map(({ Name }: { Name: string }) => Name)))
}

function checkContainer(name: string, known: Known, state: string | undefined): void {
  if (known === 'absent') assert.equal(state, undefined, name)
  if (known === 'created') assert.equal(state, 'created', name)
  if (known === 'running' || known === 'exited') assert.equal(state, 'exited', name)
}

function checkThere(expected: ReadonlyMap<string, Known>, there: ReadonlySet<string>): void {
  for (const [name, known] of expected) {
    if (known === 'created') assert.ok(there.has(name), name)
    if (known === 'absent') assert.ok(!there.has(name), name)
  }
}
