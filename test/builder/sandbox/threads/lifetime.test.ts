import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  parseStatus,
  type SandboxFixture,
  type StepOverrides,
  upperOf,
} from '../../../suites/sandbox/fixture.ts'
import {
  abandonedHelpers,
  processesOf,
  untilProcesses,
} from '../../../suites/sandbox/host-processes.ts'
import { untilEmpty } from '../../../support/peers/index.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

interface BuilderOptions {
  /** More descriptors that it inherits. */
  readonly extra?: readonly number[]
  readonly env?: NodeJS.ProcessEnv
  readonly exitOnOutput?: boolean
  readonly spec?: StepOverrides
}

describe('sandbox: the threads and processes of a builder', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  /** Starts a builder in a process of its own. */
  function startBuilder(
    script: string,
    options: BuilderOptions = {},
  ): { readonly child: ChildProcess; readonly upper: string } {
    const spec = fixture.spec(['sh', '-c', script], { network: 'default', ...options.spec })
    const temporary = `${fixture.directory}/temporary`
    const document = JSON.stringify({ ...options, temporary, specs: [spec] })
    const child = spawn(process.execPath, [BUILDER, document], {
      stdio: ['ignore', 'pipe', 'inherit', ...(options.extra ?? [])],
      env: { ...process.env, ...options.env },
    })
    return { child, upper: upperOf(spec) }
  }

  async function outputOf(child: ChildProcess): Promise<string> {
    let text = ''
    child.stdout?.on('data', (data) => {
      text += data
    })
    await once(child, 'close')
    return text
  }

  it('passes on no descriptor that the builder inherited', async () => {
    const secret = openSync('/etc/shadow', 'r')
    const extra = Array.from({ length: 40 }, () => secret)
    const { child } = startBuilder('ls -l /proc/self/fd; ls /proc/$$/fd; true', { extra })
    const text = await outputOf(child)
    closeSync(secret)
    assert.equal(child.exitCode, 0)
    assert.doesNotMatch(text, /shadow/)
    assert.deepEqual(text.trim().split('\n').slice(-3), ['0', '1', '2'])
  })

  it('passes on nothing of the environment of the builder', async () => {
    const env = { TSB_CANARY: 'canary-value', NODE_V8_COVERAGE: '/tmp/canary-value' }
    const { child } = startBuilder('env; cat /proc/*/environ 2>/dev/null; true', { env })
    const text = await outputOf(child)
    assert.equal(child.exitCode, 0)
    assert.match(text, /^PATH=\/bin\n/m)
    assert.doesNotMatch(text, /canary|NODE_/i)
  }).timeout(10_000)

  it('leaves nothing when the builder is killed', async () => {
    const marker = `marker-${process.pid}`
    for (const wait of [0, 20, 60]) {
      const { child } = startBuilder(
        `(setsid sh -c "while :; do sleep 0.1; : ${marker}; done" &); echo started; sleep 1000; : ${marker}`,
      )
      if (child.stdout) await once(child.stdout, 'data')
      await untilProcesses(marker, 2, BUILDER)
      await delay(wait)
      child.kill('SIGKILL')
      await once(child, 'close')
      assert.deepEqual(await untilEmpty(() => processesOf(marker, BUILDER), 5000), [])
      assert.deepEqual(await untilEmpty(() => abandonedHelpers('/proc/self/fd/5 tap0'), 5000), [])
      assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /tsbuild-sandbox-test/)
    }
  }).timeout(40_000)

  it('leaves nothing of a program that is pid 1 when the builder is killed', async () => {
    const marker = `first-${process.pid}`
    const keepsOn = `trap "" TERM HUP INT; (setsid sh -c "sleep 1000; : ${marker}" &); echo started; while :; do sleep 0.1; : ${marker}; done`
    for (const user of ['', 'app']) {
      const { child } = startBuilder(keepsOn, { spec: { init: false, user } })
      if (child.stdout) await once(child.stdout, 'data')
      await untilProcesses(marker, 2, BUILDER)
      child.kill('SIGKILL')
      await once(child, 'close')
      assert.deepEqual(await untilEmpty(() => processesOf(marker, BUILDER), 5000), [])
      assert.deepEqual(await untilEmpty(() => abandonedHelpers('guardian'), 5000), [])
      assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /tsbuild-sandbox-test/)
    }
  }).timeout(40_000)

  it('leaves nothing of a program that is pid 1 when the builder is killed at any moment', async () => {
    const marker = `moment-${process.pid}`
    for (const wait of [150, 200, 250, 300]) {
      const { child } = startBuilder(`sleep 1000; : ${marker}`, { spec: { init: false } })
      await delay(wait)
      child.kill('SIGKILL')
      await once(child, 'close')
      assert.deepEqual(await untilEmpty(() => processesOf(marker, BUILDER), 5000), [])
      assert.deepEqual(await untilEmpty(() => abandonedHelpers('guardian'), 5000), [])
    }
  }).timeout(40_000)

  it('leaves nothing when the builder exits in the middle of a step', async () => {
    const marker = `exit-${process.pid}`
    const started = performance.now()
    const { child } = startBuilder(`echo started; sleep 1000; : ${marker}`, { exitOnOutput: true })
    assert.equal(await outputOf(child), 'started\n')
    assert.equal(child.exitCode, 7)
    assert.ok(performance.now() - started < 5000)
    assert.deepEqual(await untilEmpty(() => processesOf(marker), 2000), [])
  }).timeout(10_000)

  it('lives as long as a step that has closed its output', async () => {
    const { child } = startBuilder('exec > /dev/null 2>&1; sleep 0.5; exit 3')
    assert.equal(await outputOf(child), '')
    assert.equal(child.exitCode, 3)
  })

  it('leaves the threads of the builder where they were', async () => {
    const kinds = ['mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net', 'pid_for_children']
    const before = kinds.map((kind) => readlinkSync(`/proc/thread-self/ns/${kind}`))
    await fixture.run(['true'])
    assert.deepEqual(
      kinds.map((kind) => readlinkSync(`/proc/thread-self/ns/${kind}`)),
      before,
    )
    const status = parseStatus(readFileSync('/proc/self/status', 'utf8'))
    assert.equal(status.get('Seccomp'), '0')
    assert.equal(process.getuid?.(), 0)
    assert.equal(spawnSync('/bin/sh', ['-c', 'readlink /proc/self/ns/mnt']).status, 0)
  })

  it('leaks no descriptor, thread or process', async () => {
    const run = async (): Promise<void> => {
      await fixture.run(['true'])
      await fixture.run(['nothing']).catch(() => {})
      await fixture.run(['true'], { user: 'nobody' }).catch(() => {})
    }
    await run()
    const count = (): readonly number[] =>
      ['fd', 'task'].map((name) => readdirSync(`/proc/self/${name}`).length)
    const before = count()
    for (let round = 0; round < 10; round++) await run()
    assert.deepEqual(count(), before)
    const own = readdirSync('/proc/self/task')
    const children = own.map((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8'))
    assert.equal(children.join('').trim(), '')
  })

  it('gives everything back when it is closed', async () => {
    const count = (): readonly number[] =>
      ['fd', 'task'].map((name) => readdirSync(`/proc/self/${name}`).length)
    const once = async (): Promise<void> => {
      const other = inProcessFixture()
      await other.run(['true'])
      await other.close()
    }
    await once()
    const before = count()
    await once()
    assert.deepEqual(count(), before)
  })
})
