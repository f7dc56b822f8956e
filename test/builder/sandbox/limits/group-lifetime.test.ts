import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeControlGroup } from '../../../../builder/sandbox/limits/control-groups.ts'
import { deviceRulesSetting } from '../../../../builder/sandbox/limits/device-rules.ts'
import { readGroupSystem } from '../../../../builder/sandbox/limits/hierarchies.ts'
import { groupSettings } from '../../../../builder/sandbox/limits/resource-settings.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))
/** The first hierarchy that has the controller, of either version. */
const [PIDS = ''] = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].filter((path) =>
  existsSync(`${path}/cgroup.procs`),
)
const PARENT = `/tsbuild-lifetime-${process.pid}`

describe('sandbox: the life of control groups', () => {
  // As a step's: in two hierarchies of the first version.
  const settings = [...groupSettings({ pids: 7 }), deviceRulesSetting()]
  const options = { settings, parent: PARENT }
  const groups = (): readonly string[] =>
    readdirSync(`${PIDS}${PARENT}`).filter((name) => name.startsWith('tsbuild-'))
  after(() => {
    for (const path of [PIDS, '/sys/fs/cgroup/devices']) {
      if (existsSync(`${path}${PARENT}`)) rmdirSync(`${path}${PARENT}`)
    }
  })

  it('keeps groups of running builders, and removes those of ended ones', async () => {
    const fixture = inProcessFixture()
    const running = makeControlGroup(options, readGroupSystem())
    const spec = fixture.spec(['sh', '-c', 'echo started; sleep 1000'], {
      resources: { pids: 9 },
      cgroupParent: PARENT,
    })
    const temporary = `${fixture.directory}/temporary`
    const args = [BUILDER, JSON.stringify({ temporary, specs: [spec] })]
    // In a pid namespace of its own its process id means nothing to others.
    const child = spawn(
      'unshare',
      ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath, ...args],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await once(child.stdout, 'data')
    assert.equal(groups().length, 2)
    child.kill('SIGKILL')
    await once(child, 'close')
    await fixture.close()
    const next = makeControlGroup(options, readGroupSystem())
    const names = [running, next].map(({ directories: [directory] }) =>
      directory?.path.split('/').at(-1),
    )
    await until(() => groups().length === 2)
    assert.deepEqual([...groups()].sort(), names.sort())
    await Promise.all([running.remove(), next.remove()])
    assert.deepEqual(groups(), [])
  })

  it('never uses a group that exists already', async () => {
    mkdirSync(`${PIDS}${PARENT}/tsbuild-of-another`, { recursive: true })
    const made = await Promise.all(
      Array.from({ length: 20 }, async () => makeControlGroup(options, readGroupSystem())),
    )
    assert.equal(new Set(made.map(({ directories: [directory] }) => directory?.path)).size, 20)
    await Promise.all(made.map((group) => group.remove()))
    assert.deepEqual(groups(), ['tsbuild-of-another'])
    rmdirSync(`${PIDS}${PARENT}/tsbuild-of-another`)
  })

  /** The kernel releases a killed builder's locks a moment after its end. */
  async function until(condition: () => boolean): Promise<void> {
    for (let tries = 0; tries < 100 && !condition(); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      await makeControlGroup(options, readGroupSystem()).remove()
    }
  }
})
