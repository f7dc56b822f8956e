import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { isUserNamespace, makeNode, setXattr } from '#builder/linux'
import { run } from '#builder/sandbox'
import { type OpenSandbox, SandboxFixture } from './fixture.ts'

const LONG_AGO = new Date('2001-02-03T04:05:06Z')

/** What becomes of the files of a root. */
export function rootFilesSuite(open: OpenSandbox): void {
  describe('the files of the root', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    it('keeps what the step writes, and no mount point', async () => {
      const layer = fixture.layer()
      mkdirSync(`${layer}/etc`)
      setXattr(
        `${layer}/etc`,
        isUserNamespace() ? 'user.note' : 'trusted.note',
        Buffer.from('kept'),
      )
      chmodSync(`${layer}/etc`, 0o750)
      utimesSync(`${layer}/etc`, LONG_AGO, LONG_AGO)
      utimesSync(layer, LONG_AGO, LONG_AGO)
      const idle = await fixture.run(['true'], { layer })
      assert.deepEqual(readdirSync(idle.upper), [])
      assert.equal(statSync(idle.upper).mtimeMs, LONG_AGO.getTime())

      const busy = await fixture.run(['sh', '-c', 'echo x > /etc/new'], { layer })
      assert.deepEqual(readdirSync(busy.upper, { recursive: true }), ['etc', 'etc/new'])
      assert.equal(statSync(`${busy.upper}/etc`).mode & 0o7777, 0o750)
      assert.equal(statSync(busy.upper).mtimeMs, LONG_AGO.getTime())

      const changed = await fixture.run(['chmod', '700', '/etc'], { layer })
      assert.deepEqual(readdirSync(changed.upper, { recursive: true }), ['etc'])
      assert.equal(statSync(`${changed.upper}/etc`).mtimeMs, LONG_AGO.getTime())
    })

    it('uses the mount points that the image has', async () => {
      const layer = fixture.layer()
      for (const name of ['proc', 'sys', 'dev', 'etc']) mkdirSync(`${layer}/${name}`)
      writeFileSync(`${layer}/dev/null`, 'a file')
      for (const name of ['hosts', 'hostname', 'resolv.conf']) {
        writeFileSync(`${layer}/etc/${name}`, 'of the image\n')
      }
      const result = await fixture.run(['sh', '-c', 'cat /etc/hostname; stat -c %F /dev/null'], {
        layer,
      })
      assert.equal(result.stdout, 'buildkitsandbox\ncharacter special file\n')
      assert.deepEqual(readdirSync(result.upper), [])
    })

    it('makes no directory of what it mounts on', async () => {
      const image = fixture.layer()
      cpSync(`${fixture.image}/bin`, `${image}/bin`, { recursive: true, verbatimSymlinks: true })
      const uppers: string[] = []
      for (const script of ['touch /etc/new; rm /etc/new', 'touch /etc/new']) {
        const spec = fixture.spec(['sh', '-c', script])
        const [root] = spec.mounts
        assert.ok(root.type === 'overlay' && root.writable !== undefined)
        const mounts = [{ ...root, lower: [image] }] as const
        const { exitCode } = await run(fixture.sandbox, { ...spec, mounts }, { onOutput: () => {} })
        assert.equal(exitCode, 0)
        uppers.push(root.writable.upper)
      }
      const [untouched = '', changed = ''] = uppers
      assert.deepEqual(readdirSync(untouched), [])
      assert.deepEqual(readdirSync(changed, { recursive: true }), ['etc', 'etc/new'])
      const { mode, uid, gid } = statSync(`${changed}/etc`)
      assert.deepEqual([mode & 0o7777, uid, gid], [0o755, 0, 0])
    })

    it('writes hosts, hostname and resolv.conf for the step only', async () => {
      const result = await fixture.run(
        ['sh', '-c', 'cat /etc/hosts /etc/hostname; echo other > /etc/hostname'],
        {
          hostname: 'box',
          extraHosts: [
            ['db', '10.1.2.3'],
            ['v6', 'fd00::1'],
          ],
        },
      )
      assert.equal(
        result.stdout,
        '127.0.0.1\tlocalhost box\n::1\tlocalhost ip6-localhost ip6-loopback\n10.1.2.3\tdb\nfd00::1\tv6\nbox\n',
      )
      assert.equal(result.exitCode, 0)
      assert.deepEqual(readdirSync(result.upper), [])
      const host = await fixture.sh('cat /etc/resolv.conf', { network: 'host' })
      assert.match(host, /^nameserver /m)
    })

    it('follows links of /etc files inside the root, also dangling ones', async () => {
      const layer = fixture.layer()
      mkdirSync(`${layer}/etc`)
      symlinkSync('../run/systemd/resolve/stub-resolv.conf', `${layer}/etc/resolv.conf`)
      symlinkSync('/canary/hosts', `${layer}/etc/hosts`)
      const result = await fixture.run(
        ['sh', '-c', 'wc -l < /canary/hosts; cat /run/systemd/resolve/stub-resolv.conf'],
        { layer },
      )
      assert.match(result.stdout, /^2\nnameserver /)
      assert.deepEqual(readdirSync(result.upper), [])
    })

    it('follows no link that the step put where a mount point was', async () => {
      const canary = fixture.layer()
      mkdirSync(`${canary}/inner`)
      const before = snapshotOf(canary)
      const mounts = [{ type: 'tmpfs', target: '/outer/inner' }] as const
      const script = `mv /outer /moved; ln -s ${canary} /outer`
      const result = await fixture.run(['sh', '-c', script], { mounts })
      assert.equal(result.stderr, '')
      assert.deepEqual(snapshotOf(canary), before)
      assert.equal(readlinkSync(`${result.upper}/outer`), canary)
      assert.deepEqual(readdirSync(`${result.upper}/moved`), ['inner'])
    })

    describe('with a hostile image', () => {
      const ordinary = /the image has no ordinary directory there/
      for (const name of ['proc', 'sys', 'dev']) {
        it(`refuses a link, a file or a fifo as /${name}`, async () => {
          const canary = fixture.layer()
          for (const inside of ['ptmx', 'fd', 'null', 'pts'])
            writeFileSync(`${canary}/${inside}`, 'x')
          const before = snapshotOf(canary)
          const makers: readonly ((path: string) => void)[] = [
            (path) => symlinkSync(canary, path),
            (path) => symlinkSync('etc', path),
            (path) => symlinkSync('nowhere', path),
            (path) => writeFileSync(path, ''),
            (path) => makeNode(path, 'fifo', { mode: 0o666 }),
          ]
          for (const make of makers) {
            const layer = fixture.layer()
            make(`${layer}/${name}`)
            await assert.rejects(fixture.run(['true'], { layer }), {
              code: 'STEP_FAILED',
              message: ordinary,
            })
          }
          assert.deepEqual(snapshotOf(canary), before)
        })
      }

      it('does not look into the image for devices', async () => {
        const layer = fixture.layer()
        mkdirSync(`${layer}/dev`)
        symlinkSync('/proc/sys/kernel/core_pattern', `${layer}/dev/null`)
        symlinkSync('/canary', `${layer}/dev/pts`)
        symlinkSync('/canary/secret', `${layer}/dev/console`)
        symlinkSync('/canary/secret', `${layer}/dev/shm`)
        const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
        const text = await fixture.sh(
          'stat -c %t:%T /dev/null; echo "|/x" > /dev/null; ls /dev/pts',
          {
            layer,
          },
        )
        assert.equal(text, '1:3\nptmx\n')
        assert.equal(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), pattern)
      })

      it('never leaves the root for a linked /etc', async () => {
        const canary = fixture.layer()
        writeFileSync(`${canary}/hosts`, 'untouched')
        const before = snapshotOf(canary)
        for (const target of [
          canary,
          `../../../..${canary}`,
          '/proc/1/root/etc',
          '/proc/self/cwd',
        ]) {
          const layer = fixture.layer()
          linkEtc(layer, target)
          await fixture.run(['sh', '-c', 'echo evil > /etc/hosts'], { layer }).catch(() => {})
        }
        assert.deepEqual(snapshotOf(canary), before)
      })

      it('refuses loops, and directories in place of files', async () => {
        const loop = fixture.layer()
        mkdirSync(`${loop}/etc`)
        symlinkSync('hosts', `${loop}/etc/hosts`)
        await assert.rejects(fixture.run(['true'], { layer: loop }), { code: 'STEP_FAILED' })
        const directory = fixture.layer()
        mkdirSync(`${directory}/etc/resolv.conf`, { recursive: true })
        await assert.rejects(fixture.run(['true'], { layer: directory }), {
          code: 'STEP_FAILED',
          message: /the image has a directory there/,
        })
      })

      it('finds no host directory through a working directory in /proc', async () => {
        const script = 'pwd -P; cat ../../../../etc/hostname ../../../etc/hostname /etc/hostname'
        const hostname = readFileSync('/etc/hostname', 'utf8').trim()
        let inside = 0
        for (const base of ['/proc/self/fd', '/proc/thread-self/fd', '/proc/1/fd']) {
          for (const number of [0, 1, 2, 3, 5, 8, 13, 20, 28, 36, 40, 44, 48, 56, 63]) {
            try {
              const { stdout } = await fixture.run(['sh', '-c', script], {
                cwd: `${base}/${number}`,
              })
              assert.ok(!stdout.split('\n').includes(hostname), `${base}/${number}`)
              inside++
            } catch (cause) {
              assert.equal((cause as { code?: string }).code, 'STEP_FAILED')
            }
          }
        }
        assert.equal(inside, 0)
      })

      it('makes no directory on the host for a linked working directory', async () => {
        const canary = fixture.layer()
        const layer = fixture.layer()
        symlinkSync(`${canary}/new`, `${layer}/app`)
        const result = await fixture.run(['pwd', '-P'], { layer, cwd: '/app/x' })
        assert.equal(result.stdout, `${canary}/new/x\n`)
        assert.deepEqual(readdirSync(canary), [])
      })
    })

    describe('with mounts', () => {
      it('binds directories and files, read-only or not, without set-uid and devices', async () => {
        const source = fixture.layer()
        writeFileSync(`${source}/file`, 'content\n')
        const result = await fixture.run(
          [
            'sh',
            '-c',
            'cat /mnt/d/file /mnt/f; echo x 2>/dev/null > /mnt/d/n || echo denied; echo y > /mnt/w/n; grep " /mnt/" /proc/mounts',
          ],
          {
            mounts: [
              { type: 'bind', target: '/mnt/d', source, readonly: true },
              { type: 'bind', target: '/mnt/f', source: `${source}/file`, readonly: true },
              { type: 'bind', target: '/mnt/w', source, readonly: false },
              { type: 'tmpfs', target: '/mnt/t', size: 4096 * 4 },
            ],
          },
        )
        assert.match(result.stdout, /^content\ncontent\ndenied\n/)
        const options = new Map(
          result.stdout
            .split('\n')
            .slice(3, -1)
            .map((line) => [line.split(' ')[1] ?? '', line.split(' ')[3] ?? '']),
        )
        assert.match(options.get('/mnt/d') ?? '', /^ro,nosuid,nodev/)
        assert.match(options.get('/mnt/w') ?? '', /^rw,nosuid,nodev/)
        assert.match(options.get('/mnt/t') ?? '', /size=16k/)
        assert.equal(readFileSync(`${source}/n`, 'utf8'), 'y\n')
        assert.deepEqual(readdirSync(result.upper), [])
      })

      it('keeps a mount point that was there', async () => {
        const layer = fixture.layer()
        mkdirSync(`${layer}/data`)
        const mounts = [{ type: 'tmpfs', target: '/data' }] as const
        const result = await fixture.run(['touch', '/data/x', '/y'], { layer, mounts })
        assert.deepEqual(readdirSync(result.upper), ['y'])
      })

      it('mounts a read-only union over hundreds of layers', async () => {
        const lower = Array.from({ length: 499 }, (_, index) => {
          const path = fixture.layer()
          writeFileSync(`${path}/f${index}`, '')
          return path
        })
        const mounts = [{ type: 'overlay', target: '/union', lower }] as const
        const text = await fixture.sh('ls /union | wc -l; touch /union/x 2>&1 || true', { mounts })
        assert.match(text, /^499\n.*Read-only file system/)
      })
    })
  })
}

/** Everything about a directory that a mistake on the host would change. */
function snapshotOf(directory: string): readonly unknown[] {
  return ['.', ...readdirSync(directory)].map((name) => {
    const { mode, uid, size, mtimeMs, ctimeMs, nlink } = lstatSync(`${directory}/${name}`)
    return [name, mode, uid, size, mtimeMs, ctimeMs, nlink]
  })
}

/** A layer in which /etc is a link. */
function linkEtc(layer: string, target: string): void {
  symlinkSync(target, `${layer}/etc`)
}
