import assert from 'node:assert/strict'
import type { PlannedMount } from '#builder/plan'
import { parseByteSize } from '#core'
import { execs, files, plan } from '../support.ts'

const ERRORS: readonly (readonly [mount: string, message: string])[] = [
  ['type=cach,target=/x', 'unsupported mount type "cach" (did you mean cache?)'],
  ['type=volume,target=/x', 'unsupported mount type "volume"'],
  ['type=,target=/x', 'unsupported mount type ""'],
  ['targt=/x', "unexpected key 'targt' in 'targt=/x' (did you mean target?)"],
  [
    'type=bind,target=/x,bind-propagation=shared',
    "unexpected key 'bind-propagation' in 'bind-propagation=shared'",
  ],
  ['type=bind,target=/', 'invalid mount target "/"'],
  ['type=cache,target=../..', 'invalid mount target "/"'],
  ['type=bind', 'invalid mount target "/"'],
  ['type=bind,target=/x,ro=yes', 'invalid value for ro: yes'],
  ['type=bind,target=/x,readwrite=2', 'invalid value for readwrite: 2'],
  ['type=bind,target=/x,mode=0755', 'mode not allowed for "bind" type mounts'],
  ['type=tmpfs,target=/x,uid=1', 'uid not allowed for "tmpfs" type mounts'],
  ['type=bind,target=/x,gid=1', 'gid not allowed for "bind" type mounts'],
  ['type=cache,target=/x,mode=9', 'invalid value 9 for mode'],
  ['type=cache,target=/x,uid=root', 'invalid value root for uid'],
  ['type=cache,target=/x,gid=4294967295', 'invalid value 4294967295 for gid'],
  ['type=bind,target=/x,sharing=locked', 'invalid cache sharing set for bind mount'],
  ['type=cache,target=/x,sharing=lock', 'unsupported sharing value "lock" (did you mean locked?)'],
  ['type=cache,target=/x,required', "unexpected key 'required' for mount type 'cache'"],
  ['required=true,type=secret,id=x', "unexpected key 'required' for mount type 'bind'"],
  ['type=ssh,required=perhaps', 'invalid value for required: perhaps'],
  ['type=bind,target=/x,size=1m', "unexpected key 'size' for mount type 'bind'"],
  ['type=tmpfs,target=/x,size=big', 'invalid value for size: big'],
  ['type=ssh,source=/x', 'ssh does not support source'],
  ['type=secret', 'invalid secret mount. one of source, target required'],
  ['type=secret,id=x,source=y', "both source and id can't be set"],
  ['type=secret,id=x,from=base', 'secret mount should not have a from'],
  ['type=cache,target=/x,env=X', "unexpected key 'env' for mount type 'cache'"],
  ['type=bind,target=/x,from', "invalid field 'from' must be a key=value pair"],
  [
    'type=bind,target=/x,from=$BASE',
    "'from' doesn't support variable expansion, define alias stage instead",
  ],
]

async function mountsOf(mount: string, before = ''): Promise<readonly PlannedMount[]> {
  const text = `FROM base AS first\nFROM base\n${before}\nRUN --mount=${mount} true`
  const [run] = execs((await plan(text)).plan)
  assert.ok(run)
  return run.mounts
}

describe('plan: RUN --mount', () => {
  for (const [mount, message] of ERRORS) {
    it(`refuses ${mount}`, async () => {
      await assert.rejects(mountsOf(mount), (error: Error) => {
        assert.equal(error.message.replace(/^dockerfile parse error on line \d+: /, ''), message)
        return 'code' in error && error.code === 'DOCKERFILE_INVALID'
      })
    })
  }

  it('mounts a part of a stage or image, read-only unless asked', async () => {
    assert.deepEqual(await mountsOf('from=first,source=a/../b,target=x', 'WORKDIR /w'), [
      { kind: 'bind', target: '/w/x', readonly: true, source: 0, path: '/b' },
    ])
    const [writable] = await mountsOf('type=bind,from=other,dst=/x,rw')
    assert.deepEqual(writable, {
      ...{ kind: 'bind', target: '/x', readonly: false, source: 0, path: '/' },
    })
  })

  it('takes what it needs of the context once', async () => {
    const text =
      'FROM base\nWORKDIR /w\nRUN --mount=target=. one\nRUN --mount=src=/,dst=/y --mount=src=d,dst=/z two'
    const { vertices } = (await plan(text)).plan
    const loads = [...vertices.values()].filter(({ internal }) => internal)
    assert.deepEqual(
      loads.map(({ name }) => name),
      ['[internal] load / of the build context', '[internal] load /d of the build context'],
    )
    const [one, two] = execs((await plan(text)).plan)
    assert.deepEqual([one?.sources.length, two?.sources.length], [1, 2])
    assert.deepEqual(one?.sources[0], two?.sources[0])
    assert.equal(one?.mounts[0]?.target, '/w')
  })

  it('names caches by id, else by target as written, within a namespace', async () => {
    const [cache] = await mountsOf('type=cache,target=./c/')
    const shared = { kind: 'cache', sharing: 'shared', readonly: false, path: '/' }
    const made = { source: undefined, owner: undefined }
    assert.deepEqual(cache, { ...shared, ...made, target: '/c', id: '/c' })
    const other = 'type=cache,id=go,target=/c,from=first,sharing=LOCKED,ro,mode=0700'
    const [locked] = await mountsOf(other)
    assert.deepEqual(locked, {
      ...{ kind: 'cache', target: '/c', id: '/go', sharing: 'locked', readonly: true, path: '/' },
      ...{ source: 0, owner: { uid: 0, gid: 0, mode: 0o700 } },
    })
    const text = 'FROM base\nRUN --mount=type=cache,id=go,target=/c true'
    const [run] = execs((await plan(text, { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: 'n' } })).plan)
    const [inNamespace] = run?.mounts ?? []
    assert.equal(inNamespace?.kind === 'cache' && inNamespace.id, 'n/go')
  })

  it('expands variables, all but those of from', async () => {
    const [tmpfs] = await mountsOf('type=$T,target=/$X/y,size=1.5k', 'ENV T=tmpfs X=a')
    assert.deepEqual(tmpfs, { kind: 'tmpfs', target: '/a/y', size: 1536, readonly: false })
  })

  it('names secrets by id, source or target', async () => {
    const owner = { uid: 0, gid: 0, mode: 0o400 }
    const file = { kind: 'secret', env: undefined, required: false, owner }
    const cases: readonly (readonly [string, object])[] = [
      ['type=secret,id=a/b', { ...file, id: 'a/b', target: '/run/secrets/b' }],
      ['type=secret,target=/etc/key', { ...file, id: 'key', target: '/etc/key' }],
      [
        'type=secret,source=s,required',
        { ...file, id: 's', target: '/run/secrets/s', required: true },
      ],
      ['type=secret,id=T,env', { ...file, id: 'T', target: undefined, env: 'T' }],
      ['type=secret,id=T,env=V,target=/t', { ...file, id: 'T', target: '/t', env: 'V' }],
      [
        'type=secret,id=T,uid=5,gid=6,mode=0440',
        { ...file, id: 'T', target: '/run/secrets/T', owner: { uid: 5, gid: 6, mode: 0o440 } },
      ],
    ]
    for (const [mount, expected] of cases) assert.deepEqual(await mountsOf(mount), [expected])
  })

  it('sets SSH_AUTH_SOCK to the first agent unless it is set', async () => {
    const run = 'RUN --mount=type=ssh --mount=type=ssh,id=b,required true'
    const [first] = execs((await plan(`FROM base\n${run}`)).plan)
    assert.deepEqual(
      first?.mounts.map(({ target }) => target),
      ['/run/buildkit/ssh_agent.0', '/run/buildkit/ssh_agent.1'],
    )
    assert.ok(first?.process.env.includes('SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0'))
    const [own] = execs((await plan(`FROM base\nENV SSH_AUTH_SOCK=/mine\n${run}`)).plan)
    assert.deepEqual(
      own?.process.env.filter((line) => line.startsWith('SSH')),
      ['SSH_AUTH_SOCK=/mine'],
    )
  })

  it('mounts parents before what is mounted into them', async () => {
    const text =
      'FROM base\nRUN --mount=type=tmpfs,target=/a/b/c --mount=type=tmpfs,target=/z --mount=type=tmpfs,target=/a true'
    const [run] = execs((await plan(text)).plan)
    assert.deepEqual(
      run?.mounts.map(({ target }) => target),
      ['/z', '/a', '/a/b/c'],
    )
  })

  it('takes the same number for an image where COPY takes it for a stage', async () => {
    const text =
      'FROM base\nRUN first\nFROM base\nCOPY --from=0 /a /b\nRUN --mount=from=0,target=/m true'
    const { plan: planned, resolved } = await plan(text)
    assert.deepEqual(resolved, ['base', '0'])
    const [first, second] = execs(planned)
    const [copy] = files(planned)
    assert.equal(second?.mounts.length, 1)
    const mounted = second?.sources.map((source) => 'vertex' in source && source.vertex)
    const copied = copy?.sources.map((source) => 'vertex' in source && source.vertex)
    assert.deepEqual(copied, [first?.id])
    assert.ok(mounted?.every((vertex) => vertex !== first?.id))
  })

  it('refuses a command of nothing, in steps that are built', async () => {
    const text = 'FROM base AS unused\nRUN []\nRUN --mount=nonsense x\nFROM base\n'
    await plan(text)
    await assert.rejects(plan(`${text}RUN []`), {
      code: 'DOCKERFILE_INVALID',
      message: /RUN requires at least one argument$/,
    })
  })

  it('runs a heredoc that is a program as one', async () => {
    const [run] = execs((await plan('FROM base\nRUN <<-X\n\t#!/bin/x\n\tone\nX')).plan)
    assert.deepEqual(run?.process.args, ['/bin/sh', '-c', '/dev/pipes/X'])
    assert.deepEqual(run?.mounts, [
      { kind: 'script', target: '/dev/pipes/X', content: '#!/bin/x\none\n' },
    ])
  })

  it('recognizes a heredoc that is the whole command, in every spelling', async () => {
    for (const [start, end] of [
      ['<<  EOF', 'EOF'],
      ['3<<-E"O"F', 'EOF'],
      ["<<'a b'", 'a b'],
      ['<<\\"a', '"a'],
    ]) {
      const [run] = execs((await plan(`FROM base\nRUN ${start}\none\n${end}`)).plan)
      assert.deepEqual(run?.process.args, ['/bin/sh', '-c', 'one\n'], start)
    }
    const [run] = execs((await plan('FROM base\nRUN cat << EOF\none\nEOF')).plan)
    assert.deepEqual(run?.process.args, ['/bin/sh', '-c', 'cat << EOF\none\nEOF'])
  })
})

describe('byte sizes', () => {
  it('are powers of 1024', () => {
    const cases = { '7': 7, '1k': 1024, '2KiB': 2048, '1.5 MB': 1.5 * 1024 ** 2, '1g': 1024 ** 3 }
    for (const [text, bytes] of Object.entries(cases)) assert.equal(parseByteSize(text), bytes)
    for (const text of ['', 'k', '-1', '1x', '1 k k', '99999p']) {
      assert.equal(parseByteSize(text), undefined)
    }
  })
})
