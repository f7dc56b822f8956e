import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findRuntime, inProcessSandbox, type RuntimeProgram } from '#builder/sandbox'
import { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { processesOf, untilProcesses } from '../../../suites/sandbox/host-processes.ts'
import { untilEmpty } from '../../../support/peers/index.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

describe('sandbox: the processes of a runtime', () => {
  let runtime: RuntimeProgram
  let fixture: SandboxFixture
  before(async () => {
    runtime = await findRuntime('runc', process.env)
    fixture = new SandboxFixture((options) => inProcessSandbox({ ...options, runtime }))
  })
  after(() => fixture.close())

  /** A program in the place of runc. */
  function wrapper(script: string): RuntimeProgram {
    const path = `${fixture.layer()}/runtime`
    writeFileSync(path, `#!/bin/sh\n${script.replaceAll('RUNC', runtime.path)}\n`)
    chmodSync(path, 0o755)
    return { ...runtime, path }
  }

  async function withRuntime(
    other: RuntimeProgram,
    action: (other: SandboxFixture) => Promise<void>,
  ): Promise<void> {
    const opened = new SandboxFixture((options) => inProcessSandbox({ ...options, runtime: other }))
    try {
      await action(opened)
    } finally {
      await opened.close()
    }
  }

  it('end when the builder is killed, at any moment', async () => {
    const marker = `runtime-${process.pid}`
    const script = `(setsid sh -c "while :; do sleep 0.1; : ${marker}; done" &); echo started; trap "" TERM; while :; do sleep 0.1; : ${marker}; done`
    for (const wait of ['output', 150, 200, 250, 300]) {
      const temporary = `${fixture.directory}/temporary`
      const specs = [fixture.spec(['sh', '-c', script])]
      const document = JSON.stringify({ temporary, specs, runtime: runtime.path })
      const child = spawn(process.execPath, [BUILDER, document], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      if (typeof wait === 'number') await delay(wait)
      else {
        await once(child.stdout, 'data')
        await untilProcesses(marker, 2, BUILDER)
      }
      child.kill('SIGKILL')
      await once(child, 'close')
      const left = (): readonly string[] => [
        ...processesOf(marker, BUILDER),
        ...processesOf(`${temporary}/scaffold`, BUILDER),
      ]
      assert.deepEqual(await untilEmpty(left, 5000), [])
      assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /tsbuild-sandbox-test/)
    }
  }).timeout(60_000)

  it('leave no descriptor, thread or process behind', async () => {
    const run = async (): Promise<void> => {
      await fixture.run(['true'])
      await fixture.run(['/etc/passwd']).catch(() => {})
      const signal = AbortSignal.timeout(30)
      await fixture.run(['sleep', '1000'], { signal }).catch(() => {})
    }
    await run()
    const count = (): readonly number[] =>
      ['fd', 'task'].map((name) => readdirSync(`/proc/self/${name}`).length)
    const before = count()
    for (let round = 0; round < 3; round++) await run()
    assert.deepEqual(count(), before)
    const own = readdirSync('/proc/self/task')
    const children = own.map((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8'))
    assert.equal(children.join('').trim(), '')
  })

  it('end with a runtime that is killed in the middle, which fails the step', async () => {
    for (const wait of ['0.02', '0.05', '0.1']) {
      const killed = wrapper(`RUNC "$@" & sleep ${wait}; kill -KILL $!; wait; exit 9`)
      await withRuntime(killed, async (other) => {
        await assert.rejects(other.run(['true']), { code: 'SANDBOX_UNAVAILABLE' })
      })
    }
  })

  it('end when the step is aborted while the runtime does not', async () => {
    await withRuntime(wrapper('exec sleep 1000'), async (other) => {
      const signal = AbortSignal.timeout(300)
      await assert.rejects(other.run(['true'], { signal }), { code: 'CANCELLED' })
    })
  })

  it('are told apart from a runtime that cannot run here, in its own words', async () => {
    const line = '{"level":"error","msg":"this kernel is too old"}'
    const log = `while [ "$1" != --log ]; do shift; done; echo '${line}' > "$2"; exit 1`
    await withRuntime(wrapper(log), async (other) => {
      await assert.rejects(other.run(['true']), {
        code: 'SANDBOX_UNAVAILABLE',
        message: /\(runc [^)]+\): this kernel is too old$/,
      })
    })
  })
})
