import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { untilEmpty } from '../../support/peers/index.ts'
import {
  endOf,
  type OpenSandbox,
  parseStatus,
  SandboxFixture,
  type StepOverrides,
} from './fixture.ts'
import { abandonedHelpers, processesOf, untilProcesses } from './host-processes.ts'

/** A program that is pid 1 of its namespace. */
export function pidOneSuite(open: OpenSandbox): void {
  describe('the program as pid 1', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    const sh = (script: string, overrides: StepOverrides = {}): Promise<string> =>
      fixture.sh(script, { init: false, ...overrides })

    it('has that number, and no process above or beside it', async () => {
      assert.equal(await sh('echo $$ $PPID; set -- /proc/[0-9]*; echo $#'), '1 0\n1\n')
    })

    it('sees and may what a step with an init does', async () => {
      const script = `
        cat /proc/self/status | grep -E "^(Cap|Seccomp:|NoNew|Groups|Uid|SigBlk|SigIgn)"
        ls -l /proc/self/fd | sed 's/.* //'
        readlink /proc/self/fd/0; pwd; umask; ulimit -Sn; ulimit -c; hostname
        cut -d' ' -f2-4 /proc/self/mounts | grep -v ^/proc/self; cat /etc/hosts
        cat /proc/self/cgroup; env`
      for (const user of ['', 'app']) {
        const overrides = { user, cwd: '/made/here' }
        const clean = (output: string): string =>
          output.replace(/^pipe.*\n/gm, '').replace(/=[\d:]+/g, '=N')
        const ours = clean(await sh(script, overrides))
        assert.equal(ours, clean(await fixture.sh(script, overrides)))
        assert.match(ours, /^\/made\/here$/m)
      }
    })

    it('has namespaces and a session of its own', async () => {
      for (const kind of ['mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net']) {
        const own = (await sh(`readlink /proc/self/ns/${kind}`)).trim()
        assert.notEqual(own, readlinkSync(`/proc/self/ns/${kind}`), kind)
      }
      const [, , , , group, session] = (await sh('cat /proc/1/stat')).split(' ')
      assert.deepEqual([group, session], ['1', '1'])
    })

    it('becomes the parent of orphans', async () => {
      const script =
        '(sh -c "echo \\$\\$ > /orphan; exec sleep 5" &); while [ ! -s /orphan ]; do sleep 0.01; done; grep PPid /proc/$(cat /orphan)/status'
      assert.equal(await sh(script), 'PPid:\t1\n')
    })

    it('takes only signals that it handles, and SIGKILL', async () => {
      const spec = fixture.spec(['sh', '-c', 'echo ready; while :; do sleep 0.05; done'], {
        init: false,
      })
      await using process = await fixture.sandbox.start(spec)
      await once(process.stdout, 'data')
      process.signal('SIGTERM')
      assert.equal(await Promise.race([process.wait(), delay(200, 'runs')]), 'runs')
      process.signal('SIGKILL')
      assert.deepEqual(endOf(await process.wait()), { exitCode: 137, signal: 'SIGKILL' })
    })

    it('handles signals, and ends with everything that it started', async () => {
      const marker = `pid-one-${fixture.directory}`
      const script = `trap "exit 9" TERM; (setsid sh -c "sleep 1000; : ${marker}" &); echo ready; while :; do sleep 0.02; done`
      const spec = fixture.spec(['sh', '-c', script, marker], { init: false })
      await using process = await fixture.sandbox.start(spec)
      await once(process.stdout, 'data')
      await untilProcesses(marker, 2)
      process.signal('SIGTERM')
      assert.deepEqual(endOf(await process.wait()), { exitCode: 9 })
      assert.deepEqual(processesOf(marker), [])
    })

    it('reads and writes', async () => {
      const spec = fixture.spec(['cat'], { init: false, user: 'app' })
      await using process = await fixture.sandbox.start(spec, { stdin: 'pipe' })
      process.stdin?.end('through\n')
      assert.equal(await text(process.stdout), 'through\n')
      assert.deepEqual(endOf(await process.wait()), { exitCode: 0 })
    })

    it('leaves its layer as a step with an init does', async () => {
      const mounts = [{ type: 'tmpfs', target: '/deep/er' }] as const
      const result = await fixture.run(['sh', '-c', 'echo x > /kept; exit 4'], {
        init: false,
        mounts,
      })
      assert.equal(result.exitCode, 4)
      assert.deepEqual((await sh('true; ls /')).includes('deep'), false)
    })

    it('says why it cannot be started, and leaves nothing', async () => {
      const failures: readonly (readonly [readonly string[], StepOverrides, RegExp])[] = [
        [['missing'], {}, /executable file not found/],
        [['/etc/passwd'], {}, /permission denied/],
        [['true'], { user: 'unknown' }, /unable to find user/],
        [['true'], { cwd: '/etc/passwd' }, /not a directory/],
        [['sh', '-c', 'x'.repeat(200_000)], {}, /argument list too long/],
      ]
      for (const [args, overrides, message] of failures) {
        const run = fixture.run(args, { init: false, ...overrides })
        await assert.rejects(run, { code: 'STEP_FAILED', message })
      }
      // On a busy machine they take a moment to end.
      assert.deepEqual(await untilEmpty(() => abandonedHelpers('guardian'), 5000), [])
    })

    it('is killed when it is aborted, at any moment', async () => {
      for (let wait = 0; wait < 24; wait += 2) {
        const signal = AbortSignal.timeout(wait)
        const run = fixture.run(['sleep', '1000'], { init: false, signal })
        await assert.rejects(run, { code: 'CANCELLED' })
      }
      const status = parseStatus(await sh('cat /proc/1/status'))
      assert.equal(status.get('NSpid'), '1')
    })
  })
}
