import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunningProcess, StartOptions } from '../../../builder/sandbox/spec/sandbox.ts'
import { endOf, type OpenSandbox, SandboxFixture, type StepOverrides } from './fixture.ts'
import { processesOf, untilProcesses } from './host-processes.ts'

/** The handle of a running process. */
export function handleSuite(open: OpenSandbox): void {
  describe('the handle of a process', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    const start = (
      script: string,
      options: StartOptions = {},
      overrides: StepOverrides = {},
    ): Promise<RunningProcess> =>
      fixture.sandbox.start(fixture.spec(['sh', '-c', script], overrides), options)

    it('gives both outputs as streams, and the status as often as it is asked for', async () => {
      await using process = await start('echo out; echo err >&2; exit 3')
      assert.equal(process.stdin, undefined)
      assert.deepEqual(await Promise.all([text(process.stdout), text(process.stderr)]), [
        'out\n',
        'err\n',
      ])
      assert.deepEqual(endOf(await process.wait()), { exitCode: 3 })
      assert.deepEqual(endOf(await process.wait()), { exitCode: 3 })
    })

    it('keeps output until it is read, also after the end', async () => {
      await using process = await start('echo one; echo two >&2')
      await process.wait()
      await delay(1200)
      assert.equal(await text(process.stdout), 'one\n')
      assert.equal(await text(process.stderr), 'two\n')
    })

    it('makes a process wait while its output is not read', async () => {
      await using process = await start('dd if=/dev/zero bs=64k count=40 2>/dev/null; echo end >&2')
      const end = text(process.stderr)
      const raced = await Promise.race([end, delay(300, 'it waits')])
      assert.equal(raced, 'it waits')
      let seen = 0
      for await (const chunk of process.stdout) seen += (chunk as Uint8Array).length
      assert.equal(seen, 40 * 65_536)
      assert.equal(await end, 'end\n')
      assert.equal((await process.wait()).exitCode, 0)
    })

    it('writes to the input until that is ended', async () => {
      await using process = await start('read first; echo "<$first>"; cat', { stdin: 'pipe' })
      const output = text(process.stdout)
      process.stdin?.write('one\n')
      const bulk = Buffer.alloc(300_000, 'x')
      process.stdin?.write(bulk)
      process.stdin?.end()
      assert.equal(await output, `<one>\n${bulk}`)
      assert.deepEqual(endOf(await process.wait()), { exitCode: 0 })
    })

    it('lets a user open its input by name', async () => {
      await using process = await start('cat /dev/stdin', { stdin: 'pipe' }, { user: 'app' })
      process.stdin?.end('by name\n')
      assert.equal(await text(process.stdout), 'by name\n')
    })

    it('survives input that is not read', async () => {
      await using process = await start('exec 0<&-; echo closed; sleep 0.1', { stdin: 'pipe' })
      await once(process.stdout, 'data')
      process.stdin?.end(Buffer.alloc(1 << 20))
      assert.deepEqual(endOf(await process.wait()), { exitCode: 0 })
    })

    it('sends signals to the process', async () => {
      const script = 'trap "echo caught; exit 5" USR1; echo ready; while :; do sleep 0.01; done'
      await using process = await start(script)
      await once(process.stdout, 'data')
      const rest = text(process.stdout)
      process.signal('SIGUSR1')
      assert.equal(await rest, 'caught\n')
      assert.deepEqual(endOf(await process.wait()), { exitCode: 5 })
      process.signal('SIGUSR1')
    })

    it('says which signal ended the process', async () => {
      await using process = await start('echo ready; exec sleep 1000')
      await once(process.stdout, 'data')
      process.signal('SIGTERM')
      assert.deepEqual(endOf(await process.wait()), { exitCode: 143, signal: 'SIGTERM' })
    })

    it('kills everything when it is disposed of', async () => {
      const marker = `handle-${fixture.directory}`
      {
        await using process = await start(
          `(setsid sh -c "sleep 1000; : ${marker}" &); sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done' ${marker}`,
        )
        await once(process.stdout, 'data')
        await untilProcesses(marker, 2)
      }
      assert.deepEqual(processesOf(marker), [])
    })

    it('rejects waiting after an abort', async () => {
      const abort = new AbortController()
      await using process = await start('echo ready; sleep 1000', { signal: abort.signal })
      await once(process.stdout, 'data')
      abort.abort()
      await assert.rejects(process.wait(), { code: 'CANCELLED' })
    })

    it('rejects the start of what cannot be started', async () => {
      const spec = fixture.spec(['missing'])
      await assert.rejects(fixture.sandbox.start(spec), { code: 'STEP_FAILED' })
      await assert.rejects(start('true', {}, { user: 'unknown' }), { code: 'STEP_FAILED' })
      await assert.rejects(start('true', { signal: AbortSignal.abort() }), { code: 'CANCELLED' })
    })
  })
}
