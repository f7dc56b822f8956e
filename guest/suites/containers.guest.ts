import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { installedFor } from '../../test/e2e/support/installed.ts'
import { startServe } from '../../test/e2e/support/serve.ts'
import { mustBuild, tsbuild } from '../../test/e2e/support/tsbuild.ts'
import { busyboxBase, type Outcome, temporaryDirectory } from '../../test/support/peers/index.ts'
import { type Person, userInScope, userOutside } from './persons.ts'

/** Milliseconds of one command. */
const PATIENCE = 60_000

/** Writes more and more to its memory. */
const EATS_MEMORY = 'x=0123456789abcdef; while :; do x=$x$x; done'

/** `tsbuild serve` of one person, and commands of that person for it. */
class Engine implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #directory = this.#stack.use(temporaryDirectory('engine', 0o777))
  readonly #person: Person

  private constructor(person: Person) {
    this.#person = person
  }

  static async of(person: Person): Promise<Engine> {
    const engine = new Engine(person)
    await engine.#start()
    return engine
  }

  async #start(): Promise<void> {
    const directory = this.#directory
    const { home, prefix } = this.#person
    const installed = this.#stack.use(await installedFor(this.#person))
    const start = {
      root: directory.file('store'),
      cwd: '/',
      env: { HOME: home },
      prefix,
      installed,
    }
    writeFileSync(directory.file('Dockerfile'), 'FROM base\n')
    const base = ['--build-context', `base=oci-layout://${await busyboxBase()}`]
    await mustBuild(['build', '-t', 'busybox', ...base, directory.path], start)
    const socket = directory.file('socket')
    const { command } = installed
    const log = directory.file('log')
    this.#stack.use(await startServe({ root: start.root, socket, log, prefix, command }))
    this.run = async (...args) =>
      await tsbuild(['-H', `unix://${socket}`, ...args], { ...start, timeoutMs: PATIENCE })
  }

  /** Runs a command of the command line to its end. */
  run: (...args: readonly string[]) => Promise<Outcome> = async () => {
    throw new Error('the engine is not started')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

describe('containers of an ordinary user', () => {
  describe('in a scope that delegates control groups', () => {
    let engine: Engine
    before(async () => {
      engine = await Engine.of(await userInScope('Delegate=yes'))
    })
    after(() => engine[Symbol.asyncDispose]())

    it('have limits, which they see', async () => {
      const flags = ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '99']
      const show = 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
      const shown = await engine.run(...run(...flags), 'busybox', 'sh', '-c', show)
      assert.deepEqual(shown, {
        ...shown,
        ...{ status: 0, stderr: '', stdout: `${64 << 20}\n50000 100000\n99\n` },
      })
    })

    it('are ended by the limit of their memory, which is said', async () => {
      const flags = ['--memory', '32m', '--memory-swap', '32m', '--name', 'eater']
      const words = ['--network', 'none', ...flags, 'busybox', 'sh', '-c', EATS_MEMORY]
      assert.equal((await engine.run('run', ...words)).status, 137)
      const { stdout } = await engine.run('inspect', '-f', '{{.State.OOMKilled}}', 'eater')
      assert.equal(stdout, 'true\n')
    })

    it('stand still while they are paused, and say what they use', async () => {
      const ticks = 'while :; do echo tick; sleep 0.05; done'
      const words = ['--network', 'none', '--memory', '64m', '--name', 'clock', 'busybox']
      const started = await engine.run('run', '-d', ...words, 'sh', '-c', ticks)
      assert.equal(started.stderr, '')
      assert.equal((await engine.run('pause', 'clock')).status, 0)
      const state = await engine.run('inspect', '-f', '{{.State.Status}}', 'clock')
      assert.equal(state.stdout, 'paused\n')
      const still = await engine.run('logs', 'clock')
      assert.equal((await engine.run('logs', 'clock')).stdout, still.stdout)
      assert.equal((await engine.run('unpause', 'clock')).status, 0)
      const going = await engine.run('logs', 'clock')
      assert.ok(going.stdout.length > still.stdout.length)
      const stats = ['stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', 'clock']
      assert.match((await engine.run(...stats)).stdout, /^[1-9][\d.]*[KM]iB \/ 64MiB [12]\n$/)
      assert.equal((await engine.run('rm', '-f', 'clock')).status, 0)
    })
  })

  describe('outside', () => {
    it('run without limits, which is said, and are not paused', async () => {
      await using engine = await Engine.of(userOutside())
      const limited = await engine.run(...run('--memory', '64m'), 'busybox', 'echo', 'yes')
      assert.equal(limited.stdout, 'yes\n')
      assert.match(limited.stderr, /limit/)
      const words = ['--network', 'none', '--name', 'sleeper', 'busybox', 'sleep', '600']
      assert.equal((await engine.run('run', '-d', ...words)).status, 0)
      const paused = await engine.run('pause', 'sleeper')
      assert.equal(paused.status, 1)
      assert.match(paused.stderr, /it has no control groups of its own/)
      assert.equal((await engine.run('rm', '-f', 'sleeper')).status, 0)
    })
  })
})

function run(...flags: readonly string[]): readonly string[] {
  return ['run', '--rm', '--network', 'none', ...flags]
}
