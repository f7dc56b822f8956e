import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { needsMachineRoot, type OpenSandbox } from '../sandbox/fixture.ts'
import { type ContainerFixture, openContainers } from './fixture.ts'

/** Devices of the host in containers. */
export function devicesSuite(open: OpenSandbox): void {
  describe('devices', () => {
    let fixture: ContainerFixture
    before(() => {
      fixture = openContainers(open)
    })
    after(() => fixture.close())

    const device = (target: string, permissions = 'rwm') => ({
      ...{ source: '/dev/full', target, permissions },
    })

    it('are shown where that is asked for, in /dev and elsewhere', async () => {
      const devices = [device('/dev/own/full'), device('/other')]
      const script = 'for at in /dev/own/full /other; do stat -c "%F %t:%T" $at; echo x > $at; done'
      const said = await fixture.output(script, { devices })
      assert.equal(said.match(/^character special file 1:7$/gm)?.length, 2, said)
      assert.equal(said.match(/No space left on device/g)?.length, 2, said)
    })

    it('can be used as far as that is asked for', async function () {
      needsMachineRoot(this)
      const wide = { source: '/dev/loop-control', target: '/dev/loop' }
      const script =
        '(: < /dev/loop) && echo read; (: > /dev/loop) && echo written; (: <> /dev/loop) && echo both'
      for (const [permissions, seen] of [
        ['r', 'read\n'],
        ['w', 'written\n'],
        ['rw', 'read\nwritten\nboth\n'],
        ['rwm', 'read\nwritten\nboth\n'],
      ] as const) {
        const said = await fixture.output(script, { devices: [{ ...wide, permissions }] })
        assert.equal(said.replace(/^.*not permitted\n/gm, ''), seen, permissions)
      }
    })

    it('of other numbers can be made and opened where a rule says so', async function () {
      needsMachineRoot(this)
      const { rdev } = statSync('/dev/loop-control')
      const script = `mknod /k c ${rdev >> 8} ${rdev & 255}; (: < /k) && echo opened`
      const opened = await fixture.output(script, { deviceRules: ['c 10:* r'] })
      assert.equal(opened, 'opened\n')
      assert.match(await fixture.output(script, { deviceRules: ['b *:* rwm'] }), /not permitted/)
      assert.equal(await fixture.output(script, { deviceRules: ['a *:* rwm'] }), 'opened\n')
      await assert.rejects(fixture.start({ deviceRules: ['c 1:3'] }), { code: 'USAGE' })
    })

    it('must be devices', async () => {
      for (const source of ['/dev/missing', '/etc/passwd']) {
        const devices = [{ source, target: '/dev/x', permissions: 'r' }]
        await assert.rejects(fixture.start({ devices }), {
          code: 'USAGE',
          message: /gathering device/,
        })
      }
    })

    it('of the host are all in a privileged container, which may change its groups', async function () {
      needsMachineRoot(this)
      const script =
        'ls /dev; echo =; (for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $d/own && rmdir $d/own && echo made; done) 2>/dev/null | sort -u; ls -A /sys/firmware | wc -l; echo > /proc/sys/kernel/domainname && echo wrote'
      const [names = '', rest] = (await fixture.output(script, { privileged: true })).split('=\n')
      const here = readdirSync('/dev', { withFileTypes: true })
      const wanted = here.filter((entry) => entry.isCharacterDevice() || entry.isBlockDevice())
      assert.ok(wanted.length > 10)
      const found = new Set(names.split('\n'))
      for (const { name } of wanted) if (name !== 'console') assert.ok(found.has(name), name)
      assert.match(rest ?? '', /^made\n[1-9]\d*\nwrote\n$/)
      assert.doesNotMatch(await fixture.output(script), /made|wrote/)
    })

    it('have a console, where there is a terminal', async () => {
      const spec = fixture.spec(['sh', '-c', 'ls -l /dev/console; echo shown > /dev/console'])
      const terminal = { columns: 80, rows: 24 }
      await using process = await fixture.sandbox.start(spec, { terminal })
      let seen = ''
      for await (const data of process.stdout) seen += data
      assert.match(seen, /^crw--w---- .*\/dev\/console\r\nshown\r\n$/)
      assert.match(await fixture.output('ls /dev/console'), /No such file/)
    })
  })
}
