import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import {
  type Registry,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'
import { seededRandom } from '../../../support/random/index.ts'
import { mountsOf } from '../../support/processes.ts'
import { storeFaults } from '../../support/store-check.ts'
import { mustBuild, tsbuild } from '../../support/tsbuild.ts'
import { Soak, type SoakSize } from './soak.ts'
import {
  argumentsOf,
  blobsIn,
  imageIdsIn,
  neededBlobs,
  undisturbed,
  writeApps,
} from './soak-apps.ts'

/** Has many processes use one store at once, kills some, and checks what is left. */
export function soakSuite(size: SoakSize): void {
  let directory: TemporaryDirectory
  let registry: Registry
  let soak: Soak | undefined

  before(async () => {
    directory = temporaryDirectory('soak')
    registry = await startBusyboxRegistry()
  })

  after(async () => {
    soak?.stop()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it('is sound in the end, and all images are right', async () => {
    // With TSBUILD_SOAK_SEED the same is chosen again; what happens at the same moment is not.
    const seed = Number(process.env.TSBUILD_SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31))
    console.log(`      TSBUILD_SOAK_SEED=${seed}`)
    const { host } = registry
    const context = writeApps(directory.file('context'), `${host}/busybox:latest`)
    const root = directory.file('store')
    const logs = directory.file('logs')
    mkdirSync(logs)
    const site = { host, context }
    const first = argumentsOf({ name: 'one', version: 0 }, site)
    await mustBuild(first, { root })
    soak = new Soak({ ...size, ...site, root, directory: logs, random: seededRandom(seed) })
    const { failures, done, killed } = await soak.run()
    assert.deepEqual(failures, [])
    console.log(
      `      ${[...done].map(([kind, count]) => `${count} ${kind}`).join(', ')}, ${killed} killed`,
    )
    assert.ok(killed >= size.kills / 2, `${killed} kills`)

    // The next build clears away what killed ones left; then there is nothing that belongs to nothing.
    await mustBuild(first, { root })
    const verified = await tsbuild(['store', 'verify', '--format', 'json'], { root })
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    const { findings } = JSON.parse(verified.stdout) as { findings: readonly object[] }
    assert.deepEqual(findings, [])
    assert.deepEqual(storeFaults(root), [])
    assert.deepEqual(mountsOf(root), [])

    const right = await undisturbed(directory.file('undisturbed'), site)
    const found = imageIdsIn(root)
    assert.ok(found.size > 0)
    for (const [name, id] of found) assert.equal(id, right.get(name), name)

    // What is left without what could be made again is what the names need.
    await mustBuild(['prune', '--all', '--force'], { root })
    assert.deepEqual(blobsIn(root).toSorted(), neededBlobs(root).toSorted())
    assert.deepEqual(readdirSync(`${root}/layers`), [])
    assert.deepEqual(readdirSync(`${root}/tmp`), [])
    assert.equal((await tsbuild(['store', 'verify'], { root })).status, 0)
  })
}
