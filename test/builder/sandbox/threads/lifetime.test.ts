import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { untilEmpty } from '../../../support/peers/index.ts'
import { SandboxFixture, upperOf } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

interface BuilderOptions {
  /** More descriptors that it inherits. */
  readonly extra?: readonly number[]
  readonly env?: NodeJS.ProcessEnv
  readonly exitOnOutput?: boolean
}

describe('sandbox: beginning and end', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = new SandboxFixture()
  })
  after(() => fixture.close())

  /** Starts a builder in a process of its own. */
  function startBuilder(
    script: string,
    options: BuilderOptions = {},
  ): { readonly child: ChildProcess; readonly upper: string } {
    const spec = fixture.spec(['sh', '-c', script], { network: 'default' })
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

  it('ends every process that outlives the step', async () => {
    const daemons = [
      '(setsid sh -c \'trap "" TERM HUP; while :; do sleep 0.01; echo x >> /late; done\' > /dev/null 2>&1 &)',
      '(sh -c "sleep 1000" &) ',
      'nohup sleep 1000 > /dev/null 2>&1 &',
      'sleep 1000 & sh -c "kill -STOP \\$\\$" &',
    ]
    for (const daemon of daemons) {
      const { upper } = await fixture.run(['sh', '-c', `${daemon}\nsleep 0.05; true`])
      const size = existsSync(`${upper}/late`) ? statSync(`${upper}/late`).size : 0
      assert.deepEqual(processesOf('sleep 1000'), [])
      await delay(30)
      assert.equal(existsSync(`${upper}/late`) ? statSync(`${upper}/late`).size : 0, size)
    }
  })

  it('releases orphans that end during the step', async () => {
    const script =
      'i=0; while [ $i -lt 50 ]; do (sh -c "exit 3" &); i=$((i+1)); done; sleep 0.2; grep -l "State:.Z" /proc/[0-9]*/status | wc -l'
    assert.equal(await fixture.sh(script), '0\n')
  })

  it('waits for no output that a surviving process holds open', async () => {
    const started = performance.now()
    const { stdout } = await fixture.run(['sh', '-c', 'sleep 1000 & echo done'])
    assert.equal(stdout, 'done\n')
    assert.ok(performance.now() - started < 2000)
  })

  it('leaves nothing when the builder is killed', async () => {
    const marker = `marker-${process.pid}`
    for (const wait of [0, 20, 60]) {
      const { child } = startBuilder(
        `(setsid sh -c "while :; do sleep 0.1; : ${marker}; done" &); echo started; sleep 1000; : ${marker}`,
      )
      if (child.stdout) await once(child.stdout, 'data')
      await delay(wait)
      assert.ok(processesOf(marker).length >= 2)
      child.kill('SIGKILL')
      await once(child, 'close')
      assert.deepEqual(await untilEmpty(() => processesOf(marker, BUILDER), 5000), [])
      assert.deepEqual(await untilEmpty(() => processesOf('/proc/self/fd/5 tap0'), 5000), [])
      assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /tsbuild-sandbox-test/)
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

  it('stops at once when it is aborted', async () => {
    const abort = new AbortController()
    let aborted = 0
    const run = fixture.run(['sh', '-c', 'trap "" TERM INT; echo go; while :; do sleep 1; done'], {
      signal: abort.signal,
      onOutput: () => {
        aborted = performance.now()
        abort.abort()
      },
    })
    await assert.rejects(run, { code: 'CANCELLED' })
    const latency = performance.now() - aborted
    assert.ok(latency < 250, `${latency} ms`)
  })

  it('does not start when it was aborted before, or while it prepares', async () => {
    const signal = AbortSignal.abort()
    await assert.rejects(fixture.run(['true'], { signal }), { code: 'CANCELLED' })
    for (let wait = 0; wait < 12; wait += 2) {
      const abort = new AbortController()
      setTimeout(() => abort.abort(), wait)
      await fixture.run(['sleep', '1000'], { signal: abort.signal }).then(
        () => assert.fail('it was not aborted'),
        (cause) => assert.equal(cause.code, 'CANCELLED'),
      )
    }
    assert.equal((await fixture.run(['true'])).exitCode, 0)
  })

  it('streams a flood of output in bounded memory', async () => {
    let seen = 0
    let _first = 0
    const before = process.memoryUsage().rss
    let peak = 0
    const started = performance.now()
    await fixture.run(['dd', 'if=/dev/zero', 'bs=1M', 'count=500'], {
      onOutput: (stream, data) => {
        if (stream === 'stdout') seen += data.length
        _first ||= performance.now() - started
        peak = Math.max(peak, process.memoryUsage.rss())
      },
    })
    assert.equal(seen, 500 * 1024 * 1024)
    assert.ok(peak - before < 160 * 1024 * 1024, `${(peak - before) / 2 ** 20} MiB`)
  }).timeout(20_000)

  it('makes a step wait for a slow reader', async () => {
    let seen = 0
    const result = await fixture.run(
      ['sh', '-c', 'dd if=/dev/zero bs=64k count=40 2>/dev/null; echo end >&2'],
      {
        onOutput: (stream, data) => {
          if (stream === 'stdout') seen += data.length
          const until = performance.now() + 2
          while (performance.now() < until);
        },
      },
    )
    assert.deepEqual([result.exitCode, seen], [0, 40 * 65_536])
  })

  it('ends the step when its output cannot be taken', async () => {
    const run = fixture.run(['sh', '-c', 'echo x; sleep 1000'], {
      onOutput: () => {
        throw new RangeError('full')
      },
    })
    await assert.rejects(run, RangeError)
  })

  it('runs steps at the same time', async () => {
    const wait = 'echo $0 > /c/$0; while [ ! -e /c/$1 ]; do sleep 0.01; done'
    const mounts = [
      { type: 'bind', target: '/c', source: fixture.layer(), readonly: false },
    ] as const
    const both = [
      fixture.run(['sh', '-c', wait, 'a', 'b'], { mounts }),
      fixture.run(['sh', '-c', wait, 'b', 'a'], { mounts }),
    ]
    assert.deepEqual(
      (await Promise.all(both)).map((result) => result.exitCode),
      [0, 0],
    )
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
      const other = new SandboxFixture()
      await other.run(['true'])
      await other.close()
    }
    await once()
    const before = count()
    await once()
    assert.deepEqual(count(), before)
  })

  it('ends running steps when it is closed', async () => {
    const other = new SandboxFixture()
    const running = other.run(['sleep', '1000'])
    running.catch(() => {})
    await other.run(['true'])
    await other.close()
    await assert.rejects(running, { code: 'CANCELLED' })
  })

  it('writes no core file', async () => {
    const result = await fixture.run(['sh', '-c', 'ulimit -c unlimited; kill -SEGV $$'])
    assert.deepEqual([result.exitCode, result.signal], [139, 'SIGSEGV'])
    assert.deepEqual(readdirSync(result.upper), [])
  })
})

/** Pids of processes with `text` in their command line, but for those that also have `except`. */
function processesOf(text: string, except = '\n'): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return command.includes(text) && !command.includes(except)
    } catch {
      return false
    }
  })
}
