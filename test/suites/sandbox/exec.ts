import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecOptions, RunningProcess } from '../../../builder/sandbox/spec/sandbox.ts'
import { untilEmpty } from '../../support/peers/index.ts'
import {
  endOf,
  type OpenSandbox,
  SandboxFixture,
  type SandboxTraits,
  type StepOverrides,
} from './fixture.ts'
import { processesOf } from './host-processes.ts'

const PATH = 'PATH=/bin'

/** Ends when its input does. */
const WAITING = 'echo ready; cat > /dev/null'

/** What a process can tell of where it is and what it may do. */
const WHERE = `
for kind in mnt pid ipc uts net user; do readlink /proc/self/ns/$kind; done
cat /proc/self/cgroup
hostname
grep -E "^(Cap|Seccomp:|NoNewPrivs|Groups)" /proc/self/status
ulimit -n; ulimit -c; umask; pwd
`

/** Other processes beside the one that a sandbox was made for. */
export function execSuite(open: OpenSandbox, { startsFirst }: SandboxTraits): void {
  describe('another process beside it', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    async function start(script: string, overrides: StepOverrides = {}): Promise<RunningProcess> {
      const spec = fixture.spec(['sh', '-c', script], overrides)
      const process = await fixture.sandbox.start(spec, { stdin: 'pipe' })
      await once(process.stdout, 'data')
      return process
    }

    async function end(process: RunningProcess): Promise<void> {
      process.stdin?.end()
      assert.deepEqual(endOf(await process.wait()), { exitCode: 0 })
    }

    const exec = (process: RunningProcess, script: string, options: ExecOptions = {}) =>
      process.exec({ args: ['sh', '-c', script], env: [PATH], cwd: '/', user: '' }, options)

    async function sh(process: RunningProcess, script: string): Promise<string> {
      await using other = await exec(process, script)
      const outputs = Promise.all([text(other.stdout), text(other.stderr)])
      const { exitCode } = await other.wait()
      const [stdout, stderr] = await outputs
      assert.equal(exitCode, 0, stdout + stderr)
      return stdout
    }

    for (const init of startsFirst ? [true, false] : [true]) {
      it(`is where the first one is, with the same rights and limits: init ${init}`, async () => {
        const ulimits = [{ name: 'nofile', soft: 77, hard: 88 }] as const
        const spec = fixture.spec(['sh', '-c', `${WHERE}${WAITING}`], { init, ulimits })
        await using process = await fixture.sandbox.start(spec, { stdin: 'pipe' })
        let seen = ''
        for await (const chunk of process.stdout) {
          seen += chunk
          if (seen.endsWith('ready\n')) break
        }
        assert.equal(`${await sh(process, WHERE)}ready\n`, seen)
        process.stdin?.end()
        await process.wait()
      })
    }

    it('shares files with it, and has a working directory, user and environment of its own', async () => {
      await using process = await start(`mkdir -m 777 /own; echo from first > /own/a; ${WAITING}`)
      const script = 'cat a; echo "$GIVEN $HOME $(pwd) $(id -u):$(id -G)"; echo from other > b'
      await using other = await process.exec({
        ...{ args: ['sh', '-c', script], env: [PATH, 'GIVEN=text'] },
        ...{ cwd: '/own', user: 'app' },
      })
      const output = text(other.stdout)
      assert.deepEqual(endOf(await other.wait()), { exitCode: 0 })
      assert.equal(await output, 'from first\ntext /home/app /own 1000:1001 2000 2001\n')
      assert.equal(await sh(process, 'stat -c %u /own/b; cat /own/b'), '1000\nfrom other\n')
      await end(process)
    })

    it('is written to, read from, signalled and awaited by itself', async () => {
      await using process = await start(WAITING)
      await using other = await exec(process, 'read line; echo "<$line>"; kill -TERM $$', {
        stdin: 'pipe',
      })
      const output = text(other.stdout)
      other.stdin?.end('typed\n')
      assert.deepEqual(endOf(await other.wait()), { exitCode: 143, signal: 'SIGTERM' })
      assert.equal(await output, '<typed>\n')
      await using third = await exec(
        process,
        'trap "exit 7" USR1; echo set; while :; do sleep 0.01; done',
      )
      await once(third.stdout, 'data')
      third.signal('SIGUSR1')
      assert.deepEqual(endOf(await third.wait()), { exitCode: 7 })
      third.signal('SIGUSR1')
      await end(process)
    })

    it('is killed when it is disposed of or aborted, and the first one goes on', async () => {
      await using process = await start(WAITING)
      const abort = new AbortController()
      await using aborted = await exec(process, 'exec sleep 1000', { signal: abort.signal })
      abort.abort()
      await assert.rejects(aborted.wait(), { code: 'CANCELLED' })
      const disposed = await exec(process, 'exec sleep 1000')
      await disposed[Symbol.asyncDispose]()
      assert.deepEqual(endOf(await disposed.wait()), { exitCode: 137, signal: 'SIGKILL' })
      await end(process)
    })

    it('is one of many', async () => {
      await using process = await start(WAITING)
      const numbers = [1, 2, 3, 4, 5, 6]
      const outputs = await Promise.all(numbers.map((number) => sh(process, `echo ${number}`)))
      assert.deepEqual(
        outputs,
        numbers.map((number) => `${number}\n`),
      )
      await end(process)
    })

    it('ends with the first one, with all that it has started', async () => {
      const marker = `exec-${fixture.directory}`
      const process = await start(WAITING)
      const script = `(setsid sh -c "echo set; sleep 1000; : ${marker}" &); trap "" TERM; while :; do sleep 1; done; : ${marker}`
      const other = await exec(process, script)
      await once(other.stdout, 'data')
      assert.ok(processesOf(marker).length >= 2)
      await end(process)
      assert.deepEqual(processesOf(marker), [])
      assert.deepEqual(endOf(await other.wait()), { exitCode: 137, signal: 'SIGKILL' })
      await assert.rejects(exec(process, 'true'), {
        code: 'STEP_FAILED',
        message: 'the step has ended',
      })
    })

    it('may be asked for while the first one ends', async () => {
      for (let round = 0; round < 10; round += 1) {
        await using process = await start(WAITING)
        process.stdin?.end()
        const outcomes = await Promise.all(
          [1, 2, 3].map(async () => {
            try {
              await using other = await exec(process, 'exec sleep 1000')
              const { signal } = await other.wait()
              return signal
            } catch (cause) {
              return (cause as { code: string }).code
            }
          }),
        )
        for (const outcome of outcomes) {
          assert.ok(['SIGKILL', 'STEP_FAILED', 'CANCELLED'].includes(String(outcome)), `${outcome}`)
        }
        assert.deepEqual(endOf(await process.wait()), { exitCode: 0 })
      }
    })

    it('finds its program in its own working directory', async () => {
      await using process = await start(`mkdir /x; cp /bin/busybox /x/echo; ${WAITING}`)
      await using other = await process.exec({
        ...{ args: ['./echo', 'here'], env: [PATH], cwd: '/x', user: '' },
      })
      assert.equal(await text(other.stdout), 'here\n')
      await end(process)
    })

    it('is refused where it cannot be started, which harms nothing', async () => {
      await using process = await start(WAITING)
      const given = { args: ['true'], env: [PATH], cwd: '/', user: '' }
      const wrong = [
        { ...given, args: ['missing'] },
        { ...given, args: ['/etc/passwd'] },
        { ...given, args: ['echo', 'a\0b'] },
        { ...given, user: 'unknown' },
        { ...given, cwd: '/missing' },
        { ...given, cwd: '/etc/passwd' },
      ]
      for (const spec of wrong) await assert.rejects(process.exec(spec), { code: 'STEP_FAILED' })
      await assert.rejects(process.exec(given, { signal: AbortSignal.abort() }), {
        code: 'CANCELLED',
      })
      assert.equal(await sh(process, 'echo fine'), 'fine\n')
      await end(process)
    })

    it('trusts no file that the first one has made', async () => {
      await using process = await start(
        `rm /etc/passwd; mkfifo /etc/passwd; ln -s /proc/self/root /out; ln -s loop /loop; ${WAITING}`,
      )
      const given = { args: ['true'], env: [PATH], cwd: '/', user: 'app' }
      await assert.rejects(process.exec(given), { code: 'STEP_FAILED' })
      for (const cwd of ['/out', '/loop', '/proc/1/root', '/proc/self/fd/0']) {
        await assert.rejects(process.exec({ ...given, user: '0:0', cwd }), { code: 'STEP_FAILED' })
      }
      const other = await process.exec({ ...given, user: '0:0', cwd: '/../../..' })
      assert.equal((await other.wait()).exitCode, 0)
      await end(process)
    })

    it('is kept from starting by the first one, which delays nobody else and not its own end', async () => {
      const stopping = `trap "exit 0" USR1; echo ready; while :; do
        for pid in $(cd /proc; ls -d [0-9]*); do [ $pid = 1 ] || [ $pid = $$ ] || kill -STOP $pid; done 2>/dev/null
      done`
      for (const end of ['abort', 'end'] as const) {
        await using process = await start(stopping)
        const abort = new AbortController()
        const outcomes = [1, 2, 3, 4].map(async () => {
          try {
            await using other = await exec(process, 'exec sleep 1000', { signal: abort.signal })
            await other.wait()
          } catch {
            // It may have been stopped at any moment.
          }
        })
        await delay(300)
        const began = performance.now()
        if (end === 'abort') abort.abort()
        else process.signal('SIGUSR1')
        const status = end === 'abort' ? undefined : await process.wait()
        await Promise.all(end === 'abort' ? outcomes : [])
        assert.ok(performance.now() - began < 5000, end)
        if (status !== undefined) assert.deepEqual(endOf(status), { exitCode: 0 })
        await process[Symbol.asyncDispose]()
        await Promise.all(outcomes)
        assert.equal(await fixture.sh('echo others'), 'others\n')
      }
    })

    it('leaves no descriptor behind', async () => {
      await using process = await start(WAITING)
      await sh(process, 'true')
      const before = descriptors()
      const given = { args: ['true'], env: [PATH], cwd: '/', user: '' }
      const wrong = [{ args: ['missing'] }, { args: ['/etc/passwd'] }, { cwd: '/missing' }]
      for (let round = 0; round < 5; round += 1) {
        await sh(process, 'true')
        await assert.rejects(exec(process, 'true', { signal: AbortSignal.abort() }))
        for (const one of wrong) await assert.rejects(process.exec({ ...given, ...one }))
        const terminal = { columns: 80, rows: 24 }
        await assert.rejects(process.exec({ ...given, args: ['missing'] }, { terminal }))
      }
      // Pipes are closed when their streams have seen the end.
      assert.deepEqual(await untilEmpty(() => surplus(descriptors(), before), 2000), [])
      await end(process)
    })
  })
}

/** Those of this process that lead to pipes, namespaces, devices and folders. */
function descriptors(): readonly string[] {
  return readdirSync('/proc/self/fd')
    .map((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`).replace(/\d+/g, '#')
      } catch {
        return ''
      }
    })
    .filter((target) => target !== '' && !target.startsWith('anon_inode'))
    .toSorted()
}

/** What `after` has more often than `before`. */
function surplus(after: readonly string[], before: readonly string[]): readonly string[] {
  const left = [...before]
  return after.filter((one) => {
    const index = left.indexOf(one)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}
