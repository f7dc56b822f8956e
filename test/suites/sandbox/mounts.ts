import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { Mount } from '#core'
import { startSwapper } from '../race/swapper.ts'
import { type OpenSandbox, SandboxFixture, type SandboxTraits } from './fixture.ts'

/** What is mounted into a root. */
export function mountsSuite(open: OpenSandbox, { bearsAnyRoot }: SandboxTraits): void {
  describe('mounts of a step', () => {
    let fixture: SandboxFixture
    let source: string
    before(() => {
      fixture = new SandboxFixture(open)
      source = fixture.layer()
      mkdirSync(`${source}/in/side`, { recursive: true })
      writeFileSync(`${source}/in/side/file`, 'inside\n')
      symlinkSync('/in/side', `${source}/absolute`)
      symlinkSync('../../../../../../../../etc', `${source}/up`)
      symlinkSync(fixture.directory, `${source}/out`)
    })
    after(() => fixture.close())

    const bind = (path: string, more: Partial<Extract<Mount, { type: 'bind' }>> = {}): Mount => {
      return { type: 'bind', target: '/m', source, readonly: true, path, ...more }
    }
    const union = (
      path: string,
      more: Partial<Extract<Mount, { type: 'overlay' }>> = {},
    ): Mount => {
      return { type: 'overlay', target: '/m', lower: [source, fixture.image], path, ...more }
    }

    for (const [name, make] of [
      ['directory', bind],
      ['union', union],
    ] as const) {
      it(`shows a part of a ${name}, links followed inside`, async () => {
        assert.equal(await fixture.sh('ls /m', { mounts: [make('/in/side')] }), 'file\n')
        assert.equal(await fixture.sh('ls /m', { mounts: [make('/absolute')] }), 'file\n')
        assert.equal(await fixture.sh('cat /m', { mounts: [make('/absolute/file')] }), 'inside\n')
        assert.match(await fixture.sh('ls /m', { mounts: [make('/')] }), /^absolute\n/m)
      })

      it(`never shows what a link out of a ${name} names`, async () => {
        for (const path of ['/up/shadow', '/out', '/out/image', '/../../etc/shadow', '/missing']) {
          const step = fixture.run(['ls', '/m'], { mounts: [make(path)] })
          await assert.rejects(step, { code: 'NOT_FOUND' }, path)
        }
      })

      it(`is read-only: ${name}`, async () => {
        const script = 'touch /m/x; rm /m/file; chmod 777 /m/file; mount -o remount,rw /m; ls /m'
        const { stdout, stderr } = await fixture.run(['sh', '-c', script], {
          mounts: [make('/in/side')],
        })
        assert.equal(stdout, 'file\n')
        assert.equal(stderr.match(/Read-only file system/g)?.length, 3, stderr)
      })
    }

    it('follows a link in a union to the union, not to the layer below', async () => {
      const mounts = [union('/up/passwd')]
      assert.match(await fixture.sh('cat /m', { mounts }), /^app:x:1000/m)
    })

    it('keeps a layer that is shown alone', async () => {
      const mounts = [union('/in', { lower: [source] })]
      const { stderr } = await fixture.run(['sh', '-c', 'echo > /m/side/file; rm -r /m'], {
        mounts,
      })
      assert.match(stderr, /Read-only file system/)
      assert.equal(readFileSync(`${source}/in/side/file`, 'utf8'), 'inside\n')
    })

    it('never takes the place of the root, where a link leads to that', async () => {
      const layer = fixture.layer()
      symlinkSync('.', `${layer}/here`)
      symlinkSync('/bin/..', `${layer}/around`)
      symlinkSync('/bin', `${layer}/programs`)
      for (const target of ['/here', '/around', '/here/here']) {
        for (const mount of [
          bind('/in', { target }),
          union('/in', { target }),
          { type: 'tmpfs', target } as const,
        ]) {
          const step = fixture.run(['ls', '/'], { layer, mounts: [mount] })
          await assert.rejects(step, {
            code: 'STEP_FAILED',
            message: `mount ${target}: it leads to the root itself`,
          })
        }
      }
      const script = '/here/programs/side/sh -c "ls /bin/side /here/etc"'
      const mounts = [
        bind('/', { target: '/here/programs/side', source: `${fixture.image}/bin` }),
        bind('/in', { target: '/around/new' }),
      ]
      assert.match(await fixture.sh(`${script}; ls /new`, { layer, mounts }), /^sh\n.*side\n$/ms)
    })

    it('drops what is written to a union, and keeps the layers', async () => {
      const writable = { upper: fixture.layer(), work: fixture.layer() }
      const mounts = [union('/in', { writable })]
      const script = 'echo new > /m/side/file; rm -r /m/side; mkdir /m/other; ls /m'
      const result = await fixture.run(['sh', '-c', script], { mounts })
      assert.equal(result.stdout, 'other\n', result.stderr)
      assert.deepEqual(readdirSync(result.upper), [])
      assert.equal(readFileSync(`${source}/in/side/file`, 'utf8'), 'inside\n')
    })

    it('takes away set-uid rights and devices', async () => {
      const mounts = [bind('/', { readonly: false })]
      const script = "grep ' /m ' /proc/self/mounts"
      assert.match(await fixture.sh(script, { mounts }), /\brw,nosuid,nodev\b/)
    })

    it('shows a file on a file and a directory on a directory only', async () => {
      const clash = [bind('/in/side', { target: '/etc/passwd' })]
      await assert.rejects(fixture.run(['true'], { mounts: clash }), /the image has no directory/)
      const other = [bind('/in/side/file', { target: '/etc' })]
      await assert.rejects(fixture.run(['true'], { mounts: other }), /the image has a directory/)
    })

    it('leaves no mount point behind, and no trace in the directories above', async () => {
      const before = statSync(fixture.image).mtimeMs
      const mounts = [
        bind('/in/side', { target: '/etc/deep/er' }),
        bind('/in/side/file', { target: '/f' }),
      ]
      const { upper, exitCode } = await fixture.run(['ls', '/etc/deep/er/file', '/f'], { mounts })
      assert.equal(exitCode, 0)
      assert.deepEqual(readdirSync(upper), [])
      assert.equal(statSync(upper).mtimeMs, before)
    })

    it('makes and removes a mount point of very many levels in no time', async function () {
      this.timeout(120_000)
      const layer = fixture.layer()
      mkdirSync(`${layer}${'/a'.repeat(20)}`, { recursive: true })
      const target = '/a'.repeat(500)
      const mounts = [{ type: 'tmpfs', target } as const]
      const { upper, exitCode } = await fixture.run(['true'], { layer, mounts })
      assert.deepEqual([exitCode, readdirSync(upper)], [0, []])
    })

    it('does not wait for a FIFO in the place of a device', async () => {
      const devices = fixture.layer()
      execFileSync('mkfifo', [`${devices}/null`])
      const mounts = [bind('/', { target: '/dev', source: devices })]
      const output = fixture.sh('ls /dev', { mounts })
      if (bearsAnyRoot) assert.equal(await output, 'null\n')
      else await assert.rejects(output, { code: 'STEP_FAILED' })
    })

    it('gives a tmpfs the mode of what it hides, a size, and takes it back', async () => {
      const layer = fixture.layer()
      mkdirSync(`${layer}/tmp`)
      chmodSync(`${layer}/tmp`, 0o1777)
      mkdirSync(`${layer}/own`, { mode: 0o700 })
      const mounts: Mount[] = [
        { type: 'tmpfs', target: '/tmp', size: 64 << 10 },
        { type: 'tmpfs', target: '/own' },
        { type: 'tmpfs', target: '/ro', readonly: true },
      ]
      const script =
        'stat -c %a /tmp /own /ro; head -c 100000 /dev/zero > /tmp/x; wc -c < /tmp/x; touch /ro/x'
      const result = await fixture.run(['sh', '-c', script], { layer, mounts })
      assert.equal(result.stdout, '1777\n700\n1777\n65536\n')
      assert.match(result.stderr, /Read-only file system/)
      assert.deepEqual(readdirSync(result.upper), [])
    })

    it('has files that are in memory only', async () => {
      const content = Buffer.from('#!/bin/sh\necho ran\n')
      const common = { type: 'file', content, uid: 1000, gid: 1001 } as const
      const mounts: Mount[] = [
        { ...common, target: '/run/x/program', mode: 0o750 },
        { ...common, target: '/run/x/secret', mode: 0o400 },
      ]
      const script =
        'stat -c "%a %u %g" /run/x/*; /run/x/program; cat /run/x/secret; grep -c "/run/x/.*tmpfs.*ro,nosuid,nodev" /proc/self/mounts; echo > /run/x/secret'
      const result = await fixture.run(['sh', '-c', script], { mounts, user: 'app' })
      assert.equal(result.stdout, `750 1000 1001\n400 1000 1001\nran\n${content}2\n`)
      assert.match(result.stderr, /Read-only file system|Permission denied/)
      assert.deepEqual(readdirSync(result.upper), [])
    })

    it('T-A8, T-B1: never reaches outside while a shared directory is exchanged for a link', async () => {
      const shared = fixture.layer()
      const outside = fixture.layer()
      mkdirSync(`${shared}/a/x`, { recursive: true })
      writeFileSync(`${outside}/canary`, '')
      symlinkSync(outside, `${shared}/b`)
      const seen = { inside: 0, outside: 0, refused: 0, naive: 0 }
      await using _swapper = await startSwapper(`${shared}/a`, `${shared}/b`)
      const isDecided = (): boolean => seen.naive > 0 && seen.inside > 0 && seen.refused > 0
      const start = Date.now()
      const lasts = (): number => (isDecided() ? RACE_MS : LONGEST_RACE_MS)
      while (Date.now() < start + lasts()) {
        const all = bind('/', { source: shared, readonly: false })
        const target = bind('/in/side', { target: '/m/a/x' })
        await fixture.run(['touch', '/m/a/x/w'], { mounts: [all, target] }).catch(() => {})
        const part = bind('/a', { source: shared, target: '/v' })
        const shown = await fixture.run(['ls', '/v'], { mounts: [part] }).catch(() => undefined)
        if (shown === undefined) seen.refused++
        else if (shown.stdout.includes('canary')) seen.outside++
        else seen.inside++
        if (leadsOutside(`${shared}/a`)) seen.naive++
      }
      assert.equal(seen.outside, 0)
      assert.deepEqual(readdirSync(outside), ['canary'])
      assert.ok(!existsSync(`${source}/in/side/w`))
      // The race was a real one: the plain path led out, and steps met both states.
      assert.ok(isDecided(), JSON.stringify(seen))
    })
  })
}

const RACE_MS = 1000
/** For sandboxes that need long for a step. */
const LONGEST_RACE_MS = 20_000

/** Whether any of a hundred looks at a path, as a builder without care would take them, leads outside. */
function leadsOutside(path: string): boolean {
  return Array.from({ length: 100 }, () => readdirSync(path)).some((names) =>
    names.includes('canary'),
  )
}
