import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { namesOf, Workplace } from '../support/workplace.ts'

describe('build: RUN --mount', () => {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    at.put({
      'src/a': 'A\n',
      'src/b': 'B\n',
      ignored: 'must not be seen\n',
      '.dockerignore': 'ignored\nbusybox.extra\n',
    })
    symlinkSync('/etc', join(at.path('context'), 'src/out'))
  })
  after(() => at[Symbol.asyncDispose]())

  const build = (...lines: readonly string[]) => at.build([...SHELL_BASE, ...lines])
  const run = async (...lines: readonly string[]): Promise<string> =>
    outputOf(await build(...lines))

  it('shows the context as COPY would copy it', async () => {
    const output = await run(
      'FROM base',
      'WORKDIR /w',
      'RUN --mount=target=. stat -c "%u %g %n" *; cat src/a; test ! -e ignored',
      'RUN --mount=source=src/b,target=/etc/b cat /etc/b; ls /w; touch /etc/b 2>&1 || true',
    )
    assert.equal(output, '0 0 busybox\n0 0 src\nA\nB\ntouch: /etc/b: Read-only file system\n')
  })

  it('has the content of what is mounted in the key, and nothing else of the context', async () => {
    const lines = ['FROM base', 'RUN --mount=source=src,target=/s cat /s/a']
    await build(...lines)
    at.put({ elsewhere: `${Date.now()}` })
    assert.deepEqual(namesOf((await build(...lines)).events, 'done'), ['exporting to image'])
    at.put({ 'src/a': 'changed\n' })
    assert.equal(await run(...lines), 'changed\n')
    at.put({ 'src/a': 'A\n' })
    assert.equal(await run(...lines), '')
  })

  it('mounts what a stage has made, and drops what is written to it', async () => {
    const built = await build(
      'FROM base AS made',
      'RUN mkdir /d && echo 1 > /d/x && ln -s /d /link',
      'FROM base',
      'RUN --mount=from=made,source=link,target=/m,rw cat /m/x; echo 2 > /m/x; cat /m/x; touch /m/y',
      'RUN --mount=from=made,source=/d,target=/m ls /m; cat /m/x; touch /m/z 2>&1 || true',
      'RUN ls -d /m 2>&1 || true',
    )
    const output = outputOf(built)
    assert.deepEqual(output.split('\n'), [
      ...['1', '2', 'x', '1', 'touch: /m/z: Read-only file system'],
      ...['ls: /m: No such file or directory', ''],
    ])
    assert.equal(built.steps.total, 6)
  })

  it('finds a step again whose stage was made anew but came out the same', async () => {
    const lines = (argument: string): readonly string[] => [
      'FROM base AS made',
      `RUN mkdir /d && echo same > /d/x && echo ${argument} > /other`,
      'FROM base',
      'RUN --mount=from=made,source=/d,target=/m cat /m/x',
    ]
    assert.equal(await run(...lines('one')), 'same\n')
    const changed = await build(...lines('two'))
    assert.equal(outputOf(changed), '')
    assert.ok(namesOf(changed.events, 'cached').some((name) => name.includes('RUN --mount')))
  })

  it('mounts the empty stage, and what is not there is an error', async () => {
    const empty = 'RUN --mount=from=scratch,target=/m,rw touch /m/x; ls /m'
    assert.equal(await run('FROM base', empty), 'x\n')
    for (const mount of [
      'source=none,target=/m',
      'source=src/out/passwd,target=/m',
      'from=base,source=/none,target=/m',
      'from=scratch,source=/none,target=/m',
      'type=cache,id=none,source=none,target=/m',
    ]) {
      await assert.rejects(build('FROM base', `RUN --mount=${mount} ls /m`), {
        code: 'NOT_FOUND',
      })
    }
  })

  it('keeps a cache from build to build, outside of key and image', async () => {
    const mount = '--mount=type=cache,id=keep,target=/var/keep,uid=7,mode=0750'
    const first = await build(
      'FROM base',
      `RUN ${mount} stat -c "%u %a" /var/keep; echo 1 >> /var/keep/f`,
    )
    assert.equal(outputOf(first), '7 750\n')
    const lines = ['FROM base', `RUN ${mount} cat /var/keep/f; echo 2 >> /var/keep/f`]
    assert.equal(await run(...lines), '1\n')
    assert.equal(await run(...lines), '', 'its content is not part of the key')
    const other = `RUN ${mount} cat < /var/keep/f`
    assert.equal(await run('FROM base', other), '1\n2\n')
    const others = 'RUN --mount=type=cache,id=other,target=/var/keep ls /var/keep'
    assert.equal(await run('FROM base', others), '')
    assert.equal(
      await run('FROM base', 'RUN ls /var 2>&1 || true'),
      'ls: /var: No such file or directory\n',
    )
  })

  it('begins a cache with what a stage holds, owners and all', async () => {
    const output = await run(
      'FROM base AS seed',
      'RUN mkdir -p /d/e && echo s > /d/e/f && chown 5:6 /d/e/f && chmod 600 /d/e/f',
      'FROM base',
      'RUN --mount=type=cache,id=seeded,from=seed,source=/d/e,target=/c stat -c "%u %g %a" /c/f; rm /c/f',
      'RUN --mount=type=cache,id=seeded,from=seed,target=/c ls /c/d/e; ls /c/bin/busybox',
    )
    assert.equal(output, '5 6 600\n/c/bin/busybox\n')
  })

  it('cannot be led out of a cache', async () => {
    const mount = 'RUN --mount=type=cache,id=lead,'
    await build(
      'FROM base',
      `${mount}target=/c ln -s /etc /c/e; ln -s ../../../../.. /c/u; mkdir /c/etc`,
    )
    assert.equal(await run('FROM base', `${mount}source=e,target=/c ls /c`), '')
    await assert.rejects(build('FROM base', `${mount}source=u/etc/shadow,target=/c ls /c`), {
      code: 'NOT_FOUND',
    })
  })

  it('leaves a cache usable after a step that failed', async () => {
    const mount = 'RUN --mount=type=cache,id=failed,sharing=locked,target=/c'
    await assert.rejects(build('FROM base', `${mount} echo x > /c/f; false`), {
      code: 'STEP_FAILED',
    })
    assert.equal(await run('FROM base', `${mount} cat /c/f`), 'x\n')
  })

  it('runs a heredoc that is a program', async () => {
    const output = await run(
      'FROM base',
      'RUN <<-EOF',
      '\t#!/bin/busybox ash',
      '\techo "$0 $(ls /dev/pipes)"',
      '\tEOF',
    )
    assert.equal(output, '/dev/pipes/EOF EOF\n')
  })

  it('gives what is mounted to the user of the step, and nothing else', async () => {
    const lines = [
      'FROM base AS made',
      'RUN mkdir -p /d/e && echo 1 > /d/e/f && ln -s /etc /d/link && chown 3:4 /d/e/f',
      'FROM base',
      'USER 1000:1001',
      'RUN --mount=from=made,source=/d,target=/m,U stat -c "%u:%g %n" /m /m/e /m/e/f /m/link /etc; touch /m/x 2>&1 || true',
      'RUN --mount=from=made,source=/d,target=/m,rw,U=true echo 2 > /m/e/f && cat /m/e/f',
      'RUN --mount=source=src/a,target=/a,U stat -c "%u:%g %n" /a',
      'RUN --mount=type=cache,id=given,target=/c,U touch /c/x && stat -c "%u:%g %n" /c /c/x',
      'RUN --mount=type=tmpfs,target=/t,U touch /t/x && stat -c "%u:%g %n" /t',
      'USER 7:8',
      'RUN --mount=type=cache,id=given,target=/c,U stat -c "%u:%g %n" /c /c/x',
      'USER 0:0',
      'RUN --mount=from=made,source=/d,target=/m stat -c "%u:%g %n" /m /m/e/f',
    ]
    assert.deepEqual((await run(...lines)).trim().split('\n'), [
      ...['1000:1001 /m', '1000:1001 /m/e', '1000:1001 /m/e/f', '1000:1001 /m/link', '0:0 /etc'],
      ...['touch: /m/x: Read-only file system', '2', '1000:1001 /a'],
      ...['1000:1001 /c', '1000:1001 /c/x', '1000:1001 /t', '7:8 /c', '7:8 /c/x'],
      ...['0:0 /m', '3:4 /m/e/f'],
    ])
    assert.equal(statSync(join(at.path('context'), 'src/a')).uid, process.getuid?.())
    await assert.rejects(build('FROM base', 'RUN --mount=type=secret,id=x,U true'), {
      code: 'DOCKERFILE_INVALID',
    })
  })

  it('reads labels of SELinux, and reports that there are none', async () => {
    const built = await build('FROM base', 'RUN --mount=source=src,target=/s,Z cat /s/a; echo z')
    assert.equal(outputOf(built), 'A\nz\n')
    const warnings = built.events.filter((event) => event.type === 'warning')
    assert.match(JSON.stringify(warnings), /z and Z of --mount change nothing/)
  })

  it('leaves no mount, no temporary folder and no lock', () => {
    assert.doesNotMatch(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(at.folder))
    assert.deepEqual(readdirSync(join(at.path('store'), 'tmp')), [])
  })
})
