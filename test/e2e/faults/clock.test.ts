/** The clock of the machine is wrong, or is set while builds run. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Registry,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { storeFaults } from '../support/store-check.ts'
import { mustBuild, stepsThat } from '../support/tsbuild.ts'

const MOVED_CLOCK = fileURLToPath(new URL('./moved-clock.js', import.meta.url))

const HOUR = 3_600_000
const YEAR = 365.25 * 24 * HOUR

/** Offsets in milliseconds; several: the clock jumps from one to the next and back. */
const CLOCKS: Readonly<Record<string, readonly number[]>> = {
  'an hour early': [-HOUR],
  'ten years late': [10 * YEAR],
  'at the beginning of time': [-Date.now()],
  'after 2038': [30 * YEAR],
  'after 2106': [100 * YEAR],
  'set back and forth by an hour': [0, HOUR, -HOUR],
  'set back and forth by years': [30 * YEAR, -10 * YEAR, 0],
}

describe('a clock that is wrong', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let registry: Registry
  let context: string
  let control: string
  before(async () => {
    directory = temporaryDirectory('clock')
    registry = await startBusyboxRegistry()
    context = writeContext(directory.file('context'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox`,
        'RUN --mount=type=cache,target=/c echo x >> /c/log; echo one > /one',
        'COPY file /file',
        'RUN sleep 0.3; cat /one /file > /two',
      ].join('\n'),
      file: 'file',
    })
    control = await digestOf('control', [0])
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = (store: string, clock: readonly number[]) => ({
    root: directory.file(store),
    env: { MOVED_CLOCK: clock.join(','), NODE_OPTIONS: `--import=${MOVED_CLOCK}` },
  })
  const args = (): readonly string[] => [
    ...['--reproducible', '-t', `${registry.host}/clock`, '--push', context],
  ]

  async function digestOf(store: string, clock: readonly number[]): Promise<string> {
    const { stderr } = await mustBuild(args(), start(store, clock))
    const [, digest = ''] = /^digest +(sha256:[0-9a-f]{64})$/m.exec(stderr) ?? []
    assert.notEqual(digest, '', stderr)
    return digest
  }

  it('is seen by the program, in this test', async () => {
    const late = start('seen', [10 * YEAR])
    await mustBuild(['-t', 'seen', context], late)
    const { stdout } = await mustBuild(['images', '--format', 'json'], late)
    assert.ok(Date.parse(JSON.parse(stdout)[0].created) - Date.now() > 9 * YEAR, stdout)
  })

  for (const [name, clock] of Object.entries(CLOCKS)) {
    it(`changes no image and loses no result: ${name}`, async () => {
      const root = directory.file(name)
      assert.equal(await digestOf(name, clock), control)
      const again = await mustBuild(args(), start(name, [0]))
      assert.equal(stepsThat('CACHED', again).length, 3, again.stderr)
      const back = await mustBuild(args(), start(name, clock))
      assert.equal(stepsThat('CACHED', back).length, 3, back.stderr)
      for (const time of [clock, [0]]) {
        await mustBuild(['prune', '--force', '--filter', 'until=1h'], start(name, time))
        const { stdout } = await mustBuild(['images', '-q'], start(name, time))
        assert.equal(stdout.trim().split('\n').length, 1)
      }
      assert.deepEqual(storeFaults(root), [])
    })
  }

  it('takes nothing from builds that run', async () => {
    const building = digestOf('pruned', [0])
    let isBuilding = true
    const settled = building.finally(() => {
      isBuilding = false
    })
    let prunes = 0
    while (isBuilding) {
      await mustBuild(['prune', '--force', '--all'], start('pruned', [30 * YEAR, -10 * YEAR]))
      prunes += 1
      await delay(10)
    }
    assert.equal(await settled, control)
    assert.ok(prunes > 0)
    assert.deepEqual(storeFaults(directory.file('pruned')), [])
  })
})
