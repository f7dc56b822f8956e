import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { BackgroundBuild, createVolume, KILLED_IMAGE } from './support/background-build.ts'
import { SECRET } from './support/builds.ts'
import { digestOf } from './support/host-builds.ts'
import type { Kind } from './support/kinds.ts'
import type { Matrix } from './support/matrix.ts'

/** What the steps leave in their layers, so that a search that finds nothing is known to work. */
const MARK = 'a mark of the steps'

/** Milliseconds that a builder has to end after SIGTERM; docker and Kubernetes give that or more. */
const GRACE = 10_000

/** Milliseconds for all but the moments; other jobs on the machine must not fail them. */
const PATIENCE = 300_000

/** Ways to build with RUN. */
const KINDS: Readonly<Record<string, Kind>> = {
  'in namespaces': { image: 'slim', isPrivileged: true },
  'in place': { image: 'tsbuild' },
}

/**
 * Kills the container of a build of each kind at moments that are spread over its time, with SIGKILL and
 * SIGTERM in turn, and builds again on the same volume.
 */
export function killedSuite(matrixOf: () => Matrix, moments: number): void {
  for (const [name, kind] of Object.entries(KINDS)) {
    it(`${name}: the next build succeeds, and nothing of a secret is left`, async function () {
      this.timeout(PATIENCE + moments * 60_000)
      const duration = await undisturbed(kind)
      for (let moment = 0; moment < moments; moment += 1) {
        const signal = moment % 2 === 0 ? 'KILL' : 'TERM'
        await killAndRepeat(kind, signal, (duration * (moment + 0.5)) / moments)
      }
    })
  }

  /** Milliseconds of a build that is not killed. */
  async function undisturbed(kind: Kind): Promise<number> {
    const matrix = matrixOf()
    await using volume = await createVolume(matrix.site)
    const began = performance.now()
    await using build = await BackgroundBuild.start(matrix, kind, volume)
    assert.equal(await build.end(), 0, await build.said())
    const duration = performance.now() - began
    assert.notDeepEqual(build.filesWith(MARK), [])
    assert.deepEqual(build.filesWith(SECRET), [])
    return duration
  }

  async function killAndRepeat(
    kind: Kind,
    signal: 'KILL' | 'TERM',
    milliseconds: number,
  ): Promise<void> {
    const about = `${signal} after ${Math.round(milliseconds)} ms`
    const matrix = matrixOf()
    await using volume = await createVolume(matrix.site)
    await using killed = await BackgroundBuild.start(matrix, kind, volume)
    await delay(milliseconds)
    await killed.kill(signal)
    const sent = performance.now()
    await killed.end()
    assert.ok(performance.now() - sent < GRACE, about)
    assert.deepEqual(killed.filesWith(SECRET), [], about)
    await using again = await BackgroundBuild.start(matrix, kind, volume)
    assert.equal(await again.end(), 0, `${about}\n${await again.said()}`)
    const digest = await digestOf(matrix.registry, KILLED_IMAGE)
    assert.equal(digest, await matrix.hostBuilds.digest('killed'), about)
    assert.deepEqual(again.filesWith(SECRET), [], about)
  }
}
