import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { type OpenSandbox, upperOf } from '../sandbox/fixture.ts'
import { type ContainerFixture, execIn, openContainers } from './fixture.ts'

/** What containers see as their root. */
export function rootSuite(open: OpenSandbox): void {
  describe('the root', () => {
    let fixture: ContainerFixture
    before(() => {
      fixture = openContainers(open)
    })
    after(() => fixture.close())

    it('says that it is one of a container, which no layer does', async () => {
      const spec = fixture.spec(['ls', '-a', '/'], { init: false, container: {} })
      await using process = await fixture.sandbox.start(spec)
      let names = ''
      for await (const data of process.stdout) names += data
      await process.wait()
      assert.match(names, /^\.dockerenv$/m)
      assert.deepEqual(readdirSync(upperOf(spec)), [])
    })

    it('keeps what was mounted on, but for files of /etc', async () => {
      const source = `${fixture.layer()}/file`
      writeFileSync(source, 'mounted\n')
      const mounts = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/new/file'].map(
        (target) => {
          return { type: 'bind', target, source, readonly: false } as const
        },
      )
      const container = { etc: 'mounted' } as const
      const script =
        'cat /etc/hosts /etc/hostname /etc/resolv.conf /new/file; echo changed > /etc/hosts'
      const result = await fixture.run(['sh', '-c', script], { init: false, container, mounts })
      assert.equal(result.stdout, 'mounted\n'.repeat(4))
      assert.deepEqual(readdirSync(`${result.upper}/new`), ['file'])
      assert.ok(!existsSync(`${result.upper}/etc/resolv.conf`))
    })

    it('sees changes of files that were mounted', async () => {
      const source = `${fixture.layer()}/hosts`
      writeFileSync(source, 'one\n')
      const mounts = [{ type: 'bind', target: '/etc/hosts', source, readonly: false }] as const
      await using process = await fixture.start({ etc: 'mounted' }, { mounts })
      assert.equal(await execIn(process, 'cat /etc/hosts'), 'one\n')
      writeFileSync(source, 'two\n')
      assert.equal(await execIn(process, 'cat /etc/hosts'), 'two\n')
    })

    it('cannot be written to where that is asked for, but for what is mounted', async () => {
      const source = fixture.layer()
      const mounts = [
        { type: 'bind', target: '/volume', source, readonly: false },
        { type: 'tmpfs', target: '/tmp' },
      ] as const
      const script =
        'echo x > /a; mkdir /b; echo x > /volume/a && echo x > /tmp/a && echo x > /dev/shm/a && echo written'
      const written = await fixture.output(script, { readonlyRoot: true }, { mounts, cwd: '/made' })
      assert.equal(written.match(/Read-only file system/g)?.length, 2, written)
      assert.match(written, /^written$/m)
      assert.equal(await fixture.output(script, {}, { mounts }), 'written\n')
    })

    it('hides and protects what is asked for', async () => {
      const odd = ['/proc/self/root', '/proc/../etc', '/proc/missing', '/etc/passwd']
      const script =
        'wc -c < /proc/cpuinfo; wc -c < /etc/passwd; echo 5 > /proc/self/oom_score_adj; echo set; echo 5 > /proc/sys/kernel/sched_rr_timeslice_ms'
      const settings = {
        maskedPaths: ['/proc/cpuinfo', ...odd],
        readonlyPaths: ['/proc/sys', ...odd],
      }
      const hidden = await fixture.output(script, settings)
      assert.match(hidden, /^0\n[1-9]\d+\nset\n/)
      assert.match(hidden, /Read-only file system/)
      const shown = await fixture.output('wc -c < /proc/cpuinfo', { maskedPaths: [] })
      assert.doesNotMatch(shown, /^0\n/)
      const inner = await fixture.output('ls -A /sys/firmware | wc -l', { maskedPaths: [] })
      const masked = await fixture.output('ls -A /sys/firmware | wc -l')
      assert.deepEqual([masked, inner !== masked], ['0\n', existsSync('/sys/firmware')])
    })
  })
}
