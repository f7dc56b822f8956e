import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import type { Ulimit } from '#core'
import {
  needsMachineRoot,
  type OpenSandbox,
  parseStatus,
  SandboxFixture,
  type StepOverrides,
} from './fixture.ts'

/** Limits of processes, and steps with all rights. */
export function rightsSuite(open: OpenSandbox): void {
  describe('limits and rights', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    it('says when a program cannot be started, also behind a limit', async () => {
      const ulimits: Ulimit[] = [{ name: 'nofile', soft: 64, hard: 64 }]
      for (const program of ['/missing', 'missing', '/etc/passwd']) {
        await assert.rejects(fixture.run([program], { ulimits }), { code: 'STEP_FAILED' })
      }
      const signal = AbortSignal.timeout(30)
      const step = fixture.run(['sleep', '100'], { ulimits, signal })
      await assert.rejects(step, { code: 'CANCELLED' })
      await assert.rejects(fixture.run(['true'], { ulimits, signal: AbortSignal.abort() }), {
        code: 'CANCELLED',
      })
      assert.equal((await fixture.run(['true'], { ulimits })).exitCode, 0)
    })

    it('gives a step with all rights what others lack', async function () {
      needsMachineRoot(this)
      const script =
        'cat /proc/self/status; mkdir /mnt; mount -t tmpfs x /mnt && echo mounted; mknod /d b 7 0; echo > /proc/sys/kernel/domainname && echo wrote; ls /sys/firmware | wc -l; stat -c %n /dev/loop-control /dev/fuse /dev/kmsg'
      const run = async (overrides: StepOverrides) =>
        (await fixture.run(['sh', '-c', script], overrides)).stdout
      const insecure = await run({ security: 'insecure' })
      const status = parseStatus(insecure)
      assert.equal(status.get('Seccomp'), '0')
      assert.equal(
        status.get('CapEff'),
        parseStatus(readFileSync('/proc/self/status', 'utf8')).get('CapEff'),
      )
      assert.match(insecure, /mounted\nwrote\n/)
      const devices = ['loop-control', 'fuse', 'kmsg'].filter((name) => existsSync(`/dev/${name}`))
      for (const name of devices) assert.ok(insecure.includes(`/dev/${name}\n`))
      const secure = await run({})
      assert.equal(parseStatus(secure).get('Seccomp'), '2')
      assert.doesNotMatch(secure, /mounted|wrote|\/dev\//)
      assert.doesNotMatch(readFileSync('/proc/self/mounts', 'utf8'), /\/mnt tmpfs/)
    })
  })
}
