import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { makeNode } from '#builder/linux'
import { type Mount, ownProgram, TsbuildError } from '#core'
import { SandboxFixture, type StepResult, upperOf } from '../../../../suites/sandbox/fixture.ts'
import { processesOf } from '../../../../suites/sandbox/host-processes.ts'
import { notices, placingSandbox } from './placing-sandbox.ts'

const SECRET = 'the secret of a step'

describe('steps in place', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = new SandboxFixture(placingSandbox)
  })
  after(() => fixture.close())

  const failing = async (script: string, mounts: readonly Mount[]): Promise<StepResult> => {
    const result = await fixture.run(['sh', '-c', `${script}; exit 7`], { mounts })
    assert.equal(result.exitCode, 7, result.stderr)
    return result
  }

  it('says once that the container is all that isolates them', () => {
    const said = notices.filter(({ message }) => message.startsWith('RUN steps run in place'))
    assert.equal(said.length, 1)
  })

  it('are not given the programs of a stage for the credentials of the builder', () => {
    assert.equal(ownProgram('docker-credential-x', '/bin:/usr/bin').path, '/nonexistent')
  })

  it('say once what they delete with the content of /tmp', () => {
    const said = notices.filter(({ message }) => message.startsWith('steps that empty /tmp'))
    assert.equal(said.length, 1)
    assert.match(said[0]?.message ?? '', / \/tmp\/needed$/)
  })

  describe('their processes', () => {
    it('all end, whatever they do about it, and those of the builder live on', async () => {
      const own = spawn('/bin/busybox', ['sleep', '1000'])
      const marker = `ends-${fixture.directory}`
      const wait = `sh -c "while :; do sleep 1000; done; : ${marker}"`
      const daemons = [
        `(setsid ${wait} &)`,
        `(trap "" TERM HUP INT; ${wait} &)`,
        `(${wait} & kill -STOP $!)`,
        `i=0; while [ $i -lt 40 ]; do (setsid ${wait} &); i=$((i+1)); done`,
        // Each starts the next one and ends.
        `echo '(sh /comet ${marker} &)' > /comet; sh /comet ${marker}`,
        `(sh -c 'while :; do sh -c "sleep 5; : ${marker}" & done; : ${marker}' &)`,
      ]
      for (const daemon of daemons) {
        const { exitCode } = await fixture.run(['sh', '-c', `${daemon}; sleep 0.05`])
        assert.equal(exitCode, 0, daemon)
        assert.deepEqual(processesOf(marker), [], daemon)
      }
      assert.equal(own.exitCode, null)
      assert.deepEqual(processesOf('supervisor'), [])
      own.kill('SIGKILL')
      await once(own, 'exit')
    })

    const pidOf = (name: string): string =>
      `$(grep -lx ${name} /proc/[0-9]*/comm | cut -d/ -f3 | sort -n | tail -n1)`

    it('end after they have stopped those that watch over them', async () => {
      for (const name of ['supervisor', 'watcher']) {
        const script = `kill -STOP ${pidOf(name)}; exit 3`
        assert.equal((await fixture.run(['sh', '-c', script])).exitCode, 3, name)
        const abort = new AbortController()
        const step = fixture.run(['sh', '-c', `kill -STOP ${pidOf(name)}; echo; sleep 1000`], {
          signal: abort.signal,
          onOutput: () => abort.abort(),
        })
        await assert.rejects(step, { code: 'CANCELLED' }, name)
        assert.deepEqual(processesOf(name), [])
      }
    })

    it('all end after they have killed their supervisor', async () => {
      const marker = `adopted-${fixture.directory}`
      const daemon = `setsid sh -c "while :; do sleep 1000; done; : ${marker}" &`
      const kills = [
        `kill -KILL ${pidOf('supervisor')}; sleep 1000`,
        // Once the program has ended.
        `(s=${pidOf('supervisor')}; while ! grep -q "^State:.Z" /proc/$$/status; do :; done; kill -KILL $s) &`,
      ]
      for (const kill of kills) {
        const step = fixture.run(['sh', '-c', `${daemon} ${kill}`])
        const end = await step.catch((failure: unknown) => failure)
        // The second one may be too late.
        const [expected, value] =
          end instanceof TsbuildError ? ['PEER_GONE', end.code] : [0, (end as StepResult).exitCode]
        assert.equal(value, expected, kill)
        assert.deepEqual(processesOf(marker), [], kill)
      }
    })

    it('cannot read the memory, the environment or the descriptors of the builder', async () => {
      const script = `for f in mem environ maps; do cat /proc/${process.pid}/$f > /dev/null && echo $f; done; ls /proc/${process.pid}/fd/ > /dev/null && readlink /proc/${process.pid}/fd/*; true`
      assert.equal(await fixture.sh(script), '')
    })
  })

  describe('secrets', () => {
    const secret = (more: Partial<Extract<Mount, { type: 'file' }>> = {}): Mount => ({
      ...{ type: 'file', target: '/run/secrets/s', content: Buffer.from(SECRET) },
      ...{ uid: 1000, gid: 1001, mode: 0o400, ...more },
    })

    it('are in memory, for their user, and gone after a failure, too', async () => {
      const script = 'cat /run/secrets/s; stat -L -c "%a %u %g" /run/secrets/s'
      const result = await fixture.run(['sh', '-c', script], { mounts: [secret()], user: 'app' })
      assert.equal(result.stdout, `${SECRET}400 1000 1001\n`, result.stderr)
      assert.deepEqual(readdirSync(result.upper), [])
      const { upper } = await failing('readlink /run/secrets/s', [secret()])
      assert.deepEqual(readdirSync(upper), [])
      assert.deepEqual(secretsLeft(), [])
    })

    it('cannot be read by others', async () => {
      const script = 'cat /run/secrets/s; cat /dev/shm/*/*; ls /dev/shm/tsbuild*'
      const mounts = [secret({ uid: 0, gid: 0 })]
      const result = await fixture.run(['sh', '-c', script], { mounts, user: 'app' })
      assert.doesNotMatch(result.stdout + result.stderr, new RegExp(SECRET))
      assert.match(result.stderr, /Permission denied/)
    })
  })

  describe('lent directories', () => {
    /** The first is on another file system than the root. */
    for (const place of ['/tmp', '/store'] as const) {
      const cache = (readonly = false): { readonly source: string; readonly mount: Mount } => {
        mkdirSync(place, { recursive: true })
        const source = mkdtempSync(`${place}/cache-`)
        mkdirSync(`${source}/d`)
        for (const name of ['old', 'changed', 'd/removed']) writeFileSync(`${source}/${name}`, name)
        return { source, mount: { type: 'bind', target: '/c/x', source, readonly } }
      }
      const script =
        'cat /c/x/old; echo new > /c/x/changed; rm -r /c/x/d; mkdir /c/x/e; ln -s old /c/x/e/link; ln /c/x/old /c/x/same; chmod 711 /c/x'

      it(`come back with what a step changed, from ${place}`, async () => {
        for (const run of [
          async (mounts: readonly Mount[]) => fixture.run(['sh', '-c', script], { mounts }),
          async (mounts: readonly Mount[]) => failing(script, mounts),
        ]) {
          const { source, mount } = cache()
          const { upper, stdout } = await run([mount])
          assert.equal(stdout, 'old')
          assert.deepEqual(readdirSync(upper), [])
          assert.deepEqual(readdirSync(source, { recursive: true }).sort(), [
            ...['changed', 'e', 'e/link', 'old', 'same'],
          ])
          assert.equal(readFileSync(`${source}/changed`, 'utf8'), 'new\n')
          assert.equal(statSync(source).mode & 0o7777, 0o711)
          assert.equal(statSync(`${source}/old`).nlink, 2)
        }
      })

      it(`share no file with the step afterwards, from ${place}`, async () => {
        const { source, mount } = cache()
        const script =
          'mkdir /app; ln /c/x/old /app/old; ln /c/x/old /c/x/same; ln /c/x/d/removed /r'
        await fixture.run(['sh', '-c', `${script}; ls /app /r`], { mounts: [mount] })
        for (const path of ['/app/old', '/r']) appendFileSync(path, 'by a later step')
        for (const name of ['old', 'd/removed']) {
          assert.equal(readFileSync(`${source}/${name}`, 'utf8'), name)
        }
        assert.equal(statSync(`${source}/old`).ino, statSync(`${source}/same`).ino)
        assert.equal(statSync(`${source}/d/removed`).nlink, 1)
        rmSync('/app', { recursive: true })
        rmSync('/r')
      })

      it(`are not changed when they are read-only, in ${place}`, async () => {
        const { source, mount } = cache(true)
        await fixture.run(['sh', '-c', script], { mounts: [mount] })
        assert.deepEqual(readdirSync(source, { recursive: true }).sort(), [
          ...['changed', 'd', 'd/removed', 'old'],
        ])
        assert.equal(readFileSync(`${source}/changed`, 'utf8'), 'changed')
      })

      it(`come back after an abort, and after the step removed them, from ${place}`, async () => {
        const { source, mount } = cache()
        const abort = new AbortController()
        const run = fixture.run(['sh', '-c', 'echo x > /c/x/made; echo go; sleep 1000'], {
          mounts: [mount],
          signal: abort.signal,
          onOutput: () => abort.abort(),
        })
        await assert.rejects(run, { code: 'CANCELLED' })
        assert.deepEqual(readdirSync(source), ['changed', 'd', 'made', 'old'])
        const { upper } = await fixture.run(['rm', '-r', '/c'], { mounts: [mount] })
        assert.deepEqual([readdirSync(source), readdirSync(upper)], [[], []])
      })
    }

    it('keep what others wrote meanwhile', async () => {
      const source = mkdtempSync('/tmp/shared-')
      writeFileSync(`${source}/mine`, '')
      const mounts: Mount[] = [{ type: 'bind', target: '/c', source, readonly: false }]
      await fixture.run(['sh', '-c', 'rm /c/mine; echo s > /c/step; echo go; sleep 0.1'], {
        mounts,
        onOutput: () => writeFileSync(`${source}/theirs`, ''),
      })
      assert.deepEqual(readdirSync(source), ['step', 'theirs'])
    })
  })

  it('leave what was at the target of a mount as it was', async () => {
    const layer = fixture.layer()
    mkdirSync(`${layer}/there/deep`, { recursive: true })
    writeFileSync(`${layer}/there/deep/file`, 'kept')
    writeFileSync(`${layer}/single`, 'kept')
    for (const name of ['there/deep/file', 'there/deep', 'there', 'single']) {
      utimesSync(`${layer}/${name}`, 1e9, 1e9)
    }
    const mounts: Mount[] = [
      { type: 'tmpfs', target: '/there' },
      { type: 'overlay', target: '/single', lower: [fixture.image], path: '/etc/passwd' },
    ]
    const script = 'ls -A /there; touch /there/x; grep -c app /single; echo more >> /single'
    const result = await fixture.run(['sh', '-c', script], { layer, mounts })
    assert.equal(result.stdout, '1\n', result.stderr)
    assert.deepEqual(readdirSync(result.upper), [])
    const after = 'cat /there/deep/file /single; stat -c %Y /there /there/deep /single'
    assert.equal(await fixture.sh(after, { layer }), `keptkept${'1000000000\n'.repeat(3)}`)
  })

  it('keep what they write beside a mount, in directories that were made for it', async () => {
    const mounts: Mount[] = [{ type: 'tmpfs', target: '/new/dir/mount' }]
    const { upper } = await fixture.run(['sh', '-c', 'echo x > /new/dir/file'], { mounts })
    assert.deepEqual(readdirSync(upper, { recursive: true }), ['new', 'new/dir', 'new/dir/file'])
  })

  it('give a tmpfs the mode of what it hides, and scripts as files that can be run', async () => {
    const layer = fixture.layer()
    mkdirSync(`${layer}/own`, { mode: 0o700 })
    const content = Buffer.from('#!/bin/sh\necho ran as $(id -u)\n')
    const mounts: Mount[] = [
      { type: 'tmpfs', target: '/own' },
      { type: 'tmpfs', target: '/open', owned: true },
      { type: 'file', target: '/script', content, isPublic: true, uid: 0, gid: 0, mode: 0o755 },
    ]
    const script = 'stat -c "%a %u" /own /open; /script'
    const result = await fixture.run(['sh', '-c', script], { layer, mounts, user: 'app' })
    assert.equal(result.stdout, '700 0\n1777 1000\nran as 1000\n', result.stderr)
  })

  it('have a tmpfs over a directory in which the container needs something', async () => {
    mkdirSync('/run/deep/kept', { recursive: true })
    const layer = fixture.layer()
    mkdirSync(`${layer}/run/deep`, { recursive: true })
    writeFileSync(`${layer}/run/file`, 'of the image')
    const mounts: Mount[] = [{ type: 'tmpfs', target: '/run' }]
    const script = 'ls -A /run; echo x > /run/new; rm -rf /run/deep/kept/../x'
    const result = await fixture.run(['sh', '-c', script], { layer, mounts })
    assert.deepEqual([result.stdout, readdirSync(result.upper)], ['deep\n', []])
    assert.equal(await fixture.sh('cat /run/file; ls /run', { layer }), 'of the imagedeep\nfile\n')
  })

  it('have lines in the hosts of the container for as long as they run', async () => {
    const before = readFileSync('/etc/hosts', 'utf8')
    const extraHosts = [['db', '10.1.2.3']] as const
    assert.match(await fixture.sh('cat /etc/hosts', { extraHosts }), /^10\.1\.2\.3\tdb$/m)
    assert.equal(readFileSync('/etc/hosts', 'utf8'), before)
  })

  it('leave what the container needs as it was', async () => {
    const files = ['/etc/hosts', '/etc/resolv.conf', '/etc/hostname']
    const state = (): readonly unknown[] => [
      files.map((path) => [readFileSync(path, 'utf8'), statSync(path).mode]),
      ...['/dev', '/dev/shm'].map((path) => readdirSync(path).sort()),
      ...['stdin', 'fd'].map((name) => readlinkSync(`/dev/${name}`)),
    ]
    writeFileSync('/dev/shm/kept', '')
    const before = state()
    const script = [
      ...files.map((path) => `echo 192.0.2.1 of-a-step >> ${path}; chmod 600 ${path}`),
      'echo x > /dev/shm/left; mkdir -p /dev/shm/d/e /dev/new/e; rm /dev/fd /dev/stdin',
      'ln -s /etc /dev/stdin; mknod /dev/made c 1 3',
    ]
    await fixture.sh(script.join(';'))
    assert.deepEqual(state(), before)
    await failing(script.join(';'), [])
    assert.deepEqual(state(), before)
    rmSync('/dev/shm/kept')
  })

  it('have the devices of the container again after one has removed them', async () => {
    makeNode('/dev/own', 'character', { mode: 0o640, major: 1, minor: 5 })
    await fixture.sh('rm /dev/own')
    const { mode, rdev } = statSync('/dev/own')
    assert.deepEqual([mode & 0o7777, rdev], [0o640, 0x105])
    rmSync('/dev/own')
  })

  it('say what is full when there is no memory for a secret', async () => {
    const { bavail, bsize } = statfsSync('/dev/shm')
    writeFileSync('/dev/shm/large', Buffer.alloc(bavail * bsize - 4096 * 4))
    const content = Buffer.alloc(1 << 18)
    const secret: Mount = { type: 'file', target: '/s', content, uid: 0, gid: 0, mode: 0o400 }
    const step = fixture.run(['true'], { mounts: [secret] })
    await assert.rejects(step, /\/dev\/shm of the container is full/)
    rmSync('/dev/shm/large')
  })

  it('do not decide how the builder finds hosts', async () => {
    const layer = fixture.layer()
    mkdirSync(`${layer}/etc`)
    writeFileSync(`${layer}/etc/nsswitch.conf`, 'hosts: module_of_the_stage\n')
    assert.equal(await fixture.sh('cut -c1-5 /etc/nsswitch.conf', { layer }), 'hosts\n')
    assert.equal((await lookup('localhost')).address, '127.0.0.1')
  })

  it('reach the builder through sockets, which are gone afterwards', async () => {
    const target = '/run/a/s'
    const mounts: Mount[] = [{ type: 'socket', target, uid: 1000, gid: 0, mode: 0o600 }]
    const spec = fixture.spec(['sh', '-c', `stat -c "%F %a %u" ${target}; cat`], { mounts })
    await using process = await fixture.sandbox.start(spec, {
      stdin: 'pipe',
      onConnect: (name, connection) => void connection.end(`from ${name}`),
    })
    const shown = text(process.stdout)
    // The root is that of this process, too.
    assert.equal(await text(connect(target)), `from ${target}`)
    process.stdin?.end()
    assert.equal(await shown, 'socket 600 1000\n')
    assert.equal((await process.wait()).exitCode, 0)
    assert.deepEqual(readdirSync(upperOf(spec)), [])
  })

  it('are refused what only namespaces or control groups give', async () => {
    const inner = { code: 'SANDBOX_UNAVAILABLE' }
    await assert.rejects(fixture.run(['true'], { resources: { memory: 1 << 26 } }), inner)
    await assert.rejects(fixture.run(['true'], { cgroupParent: '/x' }), inner)
  })

  it('cannot have a mount where the container needs its own', async () => {
    const targets: readonly Mount[] = [
      ...['/dev', '/proc/x', '/volume'].map((target) => ({ type: 'tmpfs', target }) as const),
      { type: 'overlay', target: '/etc', lower: [fixture.image] },
      { type: 'bind', target: '/run/deep', source: fixture.image, readonly: false },
    ]
    for (const mount of targets) {
      const step = fixture.run(['true'], { mounts: [mount] })
      await assert.rejects(step, { code: 'STEP_FAILED' }, mount.target)
    }
    assert.ok(existsSync('/dev/null'))
  })
})

function secretsLeft(): readonly string[] {
  return readdirSync('/dev/shm', { recursive: true, encoding: 'utf8' }).filter((path) => {
    const place = `/dev/shm/${path}`
    return statSync(place).isFile() && readFileSync(place, 'utf8').includes(SECRET)
  })
}
