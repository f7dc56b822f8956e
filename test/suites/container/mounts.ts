import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import type { BindMount, Mount } from '#core'
import { needsMachineRoot, type OpenSandbox } from '../sandbox/fixture.ts'
import { type ContainerFixture, execIn, openContainers } from './fixture.ts'

/** Mounts that only containers have. */
export function mountsSuite(open: OpenSandbox): void {
  describe('mounts', () => {
    let fixture: ContainerFixture
    const mounted: string[] = []
    before(() => {
      fixture = openContainers(open)
    })
    after(async () => {
      for (const path of mounted.toReversed()) command('umount', '-l', path)
      await fixture.close()
    })

    /** A directory of the host with another file system in `below`. */
    function volume(): string {
      const source = fixture.layer()
      mkdirSync(`${source}/below`)
      command('mount', '-t', 'tmpfs', 'tmpfs', `${source}/below`)
      mounted.push(`${source}/below`)
      writeFileSync(`${source}/below/file`, 'deep\n')
      return source
    }
    const at = (source: string, more: Partial<BindMount> = {}): readonly Mount[] => [
      { type: 'bind', target: '/volume', source, readonly: false, ...more },
    ]

    it('show what is mounted below them, where that is asked for', async () => {
      const mounts = at(volume(), { recursive: true })
      assert.equal(await fixture.output('cat /volume/below/file', {}, { mounts }), 'deep\n')
      const alone = await fixture.output(
        'ls -A /volume/below | wc -l',
        {},
        { mounts: at(fixture.layer()) },
      )
      assert.match(alone, /No such file/)
    })

    it('that are read-only are so below as well, unless that is asked for', async () => {
      const script = 'echo x > /volume/top; echo x > /volume/below/file && cat /volume/below/file'
      const source = volume()
      const readonly = { readonly: true, recursive: true } as const
      for (const [more, count] of [
        [readonly, 2],
        [{ ...readonly, writableBelow: 'never' }, 2],
        [{ ...readonly, writableBelow: 'always' }, 1],
      ] as const) {
        const said = await fixture.output(script, {}, { mounts: at(source, more) })
        assert.equal(said.match(/Read-only file system/g)?.length, count, said)
        assert.equal(/^x$/m.test(said), count === 1)
      }
    })

    it('are from files, through links of the host, and from a part of a directory', async () => {
      const source = fixture.layer()
      mkdirSync(`${source}/part`)
      writeFileSync(`${source}/part/file`, 'content\n')
      symlinkSync('part', `${source}/link`)
      symlinkSync('/etc', `${source}/out`)
      const mounts: readonly Mount[] = [
        ...at(`${source}/link`),
        { type: 'bind', target: '/one', source: `${source}/link/file`, readonly: true },
        { type: 'bind', target: '/two', source, path: 'part/file', readonly: true },
      ]
      const script = 'cat /volume/file /one /two; echo x > /one'
      assert.match(await fixture.output(script, {}, { mounts }), /^(content\n){3}.*Read-only/)
      for (const path of ['out/passwd', '../file', 'missing']) {
        await assert.rejects(fixture.start({}, { mounts: at(source, { path }) }), {
          code: 'NOT_FOUND',
        })
      }
    })

    it('need a source', async () => {
      await assert.rejects(fixture.start({}, { mounts: at('/no/such/source') }), {
        code: 'USAGE',
        message: 'bind source path does not exist: /no/such/source',
      })
      assert.ok(!existsSync('/no/such/source'))
    })

    it('of memory have the options that are asked for', async () => {
      const usual: Mount = { type: 'tmpfs', target: '/t' }
      const shown = async (more: Partial<Mount>): Promise<string> =>
        fixture.output(
          'grep " /t " /proc/mounts; stat -c "%a %u:%g" /t; cp /bin/busybox /t/true && /t/true; echo $?',
          {},
          { mounts: [{ ...usual, ...more } as Mount] },
        )
      const own = { size: 4 << 20, mode: 0o711, uid: 5, gid: 6 }
      const forbids = ['exec', 'suid', 'dev'] as const
      const first = await shown({ ...own, forbids, options: ['nr_inodes=100'] })
      assert.match(
        first,
        /nosuid,nodev,noexec.*size=4096k,nr_inodes=100,mode=711,uid=\d+,gid=\d+[ ,]/,
      )
      assert.match(first, /^711 5:6$/m)
      assert.match(first, /^126$/m)
      const second = await shown({ forbids: [] })
      assert.match(second, /^tmpfs \/t tmpfs rw,relatime/)
      assert.match(second, /^1777 0:0\n0$/m)
    })

    it('keep what set-uid files and devices are', async function () {
      needsMachineRoot(this)
      const mounts = at(fixture.layer())
      const script = 'mknod /volume/null c 1 3; cat /volume/null && grep " /volume " /proc/mounts'
      const said = await fixture.output(script, {}, { mounts })
      assert.doesNotMatch(said, /nosuid|nodev|denied/)
      assert.match(said, / \/volume /)
    })

    it('pass others on to the container, or to the host, only where that is asked for', async () => {
      const source = fixture.layer()
      for (const name of ['host', 'container']) mkdirSync(`${source}/${name}`)
      command('mount', '--bind', source, source)
      mounted.push(source)
      command('mount', '--make-private', source)
      for (const [propagation, message] of [
        ['rslave', /is not a shared or slave mount/],
        ['rshared', /is not a shared mount/],
      ] as const) {
        const started = fixture.start({}, { mounts: at(source, { propagation }) })
        await assert.rejects(started, { code: 'USAGE', message })
      }
      command('mount', '--make-shared', source)
      const capabilities = ['CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE']
      for (const [propagation, sees, shows] of [
        ['rprivate', false, false],
        ['rslave', true, false],
        ['rshared', true, true],
      ] as const) {
        const mounts = at(source, { recursive: true, propagation })
        await using process = await fixture.start({ capabilities }, { mounts })
        command('mount', '-t', 'tmpfs', 'tmpfs', `${source}/host`)
        writeFileSync(`${source}/host/file`, 'of the host\n')
        const script =
          'cat /volume/host/file; mount -t tmpfs x /volume/container && touch /volume/container/file'
        const said = await execIn(process, script)
        assert.equal(said.startsWith('of the host\n'), sees, `${propagation} ${said}`)
        assert.equal(existsSync(`${source}/container/file`), shows, propagation)
        command('umount', `${source}/host`)
        if (shows) command('umount', `${source}/container`)
      }
    })
  })
}

function command(name: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(name, args)
  assert.equal(status, 0, stderr.toString())
}
