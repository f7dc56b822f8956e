import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { writeContext } from '../../e2e/support/context.ts'
import { mustBuild, startTsbuild, stepsThat, tsbuild } from '../../e2e/support/tsbuild.ts'
import {
  type Outcome,
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'

describe('a cache in a registry, through the command line', () => {
  let directory: TemporaryDirectory
  let registry: Registry

  before(async () => {
    directory = temporaryDirectory('remote-cache')
    registry = await startBusyboxRegistry()
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = (name: string) => ({ root: directory.file(`store-${name}`) })
  const cacheTo = (name: string, more = ''): string =>
    `--cache-to=type=registry,ref=${registry.host}/${name}:cache${more}`
  const cacheFrom = (name: string): string =>
    `--cache-from=type=registry,ref=${registry.host}/${name}:cache`
  const digestOf = ({ stderr }: { readonly stderr: string }): string | undefined =>
    /^digest {2}(sha256:\w+)$/m.exec(stderr)?.[1]

  /** Two stages, of which the image has a part. */
  function application(name: string): string {
    return writeContext(directory.file(name), {
      Dockerfile: [
        `FROM ${registry.host}/busybox AS build`,
        'COPY source /source',
        'RUN cat /proc/uptime /source > /made && head -c 200000 /dev/urandom > /waste',
        `FROM ${registry.host}/busybox`,
        'RUN cat /proc/uptime > /first',
        'COPY --from=build /made /made',
        'RUN cat /proc/uptime > /last',
        '',
      ].join('\n'),
      source: name,
    })
  }

  /** Requests that the registry has got since, without those that ask for the base image. */
  function requestsSince(mark: number): readonly string[] {
    const lines = readFileSync(registry.log, 'utf8').slice(mark).split('\n')
    return lines.flatMap((line) => {
      const [, method, path] = /"(GET|HEAD|PUT|POST|PATCH|DELETE) (\/v2\/\S*) HTTP/.exec(line) ?? []
      return method === undefined || path?.includes('/busybox/') ? [] : [`${method} ${path}`]
    })
  }
  const mark = (): number => readFileSync(registry.log, 'utf8').length
  const ran = (outcome: Outcome): readonly string[] => stepsThat('DONE', outcome)
  const warningsOf = ({ stderr }: Outcome): readonly string[] => stderr.match(/^ - .*$/gm) ?? []

  it('lets another machine build everything from it: nothing runs, nothing is downloaded', async () => {
    const context = application('app')
    const image = `${registry.host}/app:latest`
    const push = ['-t', image, '-o', 'type=registry']
    const made = await mustBuild([...push, cacheTo('app', ',mode=max'), context], start('app-a'))
    const before = mark()
    const found = await mustBuild([...push, cacheFrom('app'), context], start('app-b'))
    assert.deepEqual(ran(found), [])
    assert.equal(stepsThat('CACHED', found).length, 5)
    assert.ok(digestOf(made) !== undefined)
    assert.equal(digestOf(found), digestOf(made))
    assert.doesNotMatch(found.stderr, /warning/)
    const requests = requestsSince(before)
    const downloads = requests.filter((one) => one.startsWith('GET') && one.includes('/blobs/'))
    assert.equal(downloads.length, 1, `the records, and no layer: ${requests.join('\n')}`)
    assert.ok(requests.length <= 20, requests.join('\n'))
    const questions = requests.filter((one) => one.startsWith('HEAD'))
    assert.ok(questions.length >= 3, requests.join('\n'))
    assert.equal(new Set(questions).size, questions.length, 'each is asked once')
  })

  it('is asked for what the store does not have, and downloads what a step looks into', async () => {
    const context = application('partly')
    await mustBuild([cacheTo('partly', ',mode=max'), context], start('partly-a'))
    writeFileSync(join(context, 'more'), 'more')
    appendFileSync(join(context, 'Dockerfile'), 'COPY more /more\nRUN cat /made /more > /all\n')
    const found = await mustBuild([cacheFrom('partly'), context], start('partly-b'))
    assert.deepEqual(ran(found), [
      '[stage-1 5/6] COPY more /more',
      '[stage-1 6/6] RUN cat /made /more > /all',
    ])
    const before = mark()
    const again = await mustBuild([cacheFrom('partly'), context], start('partly-b'))
    assert.deepEqual(ran(again), [])
    const blobs = requestsSince(before).filter((one) => one.includes('/blobs/'))
    assert.ok(blobs.length <= 1, `of the build stage only the records are read: ${blobs}`)
  })

  it('takes what several machines send at the same time, and loses nothing of it', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `stage${index}`)
    const stages = names.map((name) => {
      return `FROM ${registry.host}/busybox AS ${name}\nRUN cat /proc/uptime > /${name}\n`
    })
    const copies = names.map((name) => `COPY --from=${name} /${name} /\n`).join('')
    const context = writeContext(directory.file('several'), {
      Dockerfile: `${stages.join('')}FROM scratch\n${copies}`,
    })
    await Promise.all(
      names.map((name) => {
        const args = ['--target', name, cacheTo('several'), context]
        return mustBuild(args, start(`several-${name}`))
      }),
    )
    const ninth = await mustBuild([cacheFrom('several'), context], start('several-ninth'))
    assert.deepEqual(
      ran(ninth).filter((name) => name.includes('RUN')),
      [],
    )
    assert.deepEqual(warningsOf(ninth), [])
  })

  it('is usable however its writers are killed', async () => {
    const context = application('killed')
    for (let round = 0; round < 6; round++) {
      writeFileSync(join(context, 'source'), `round ${round}`)
      const args = [cacheTo('killed', ',mode=max'), context]
      const child = startTsbuild(args, start(`killed-${round}`))
      const ended = once(child, 'exit')
      await setTimeout(300 + 150 * round)
      child.kill('SIGKILL')
      await ended
    }
    const made = await mustBuild([cacheTo('killed', ',mode=max'), context], start('killed-a'))
    assert.deepEqual(warningsOf(made), [])
    const found = await mustBuild([cacheFrom('killed'), context], start('killed-b'))
    assert.deepEqual(ran(found), [])
    assert.deepEqual(warningsOf(found), [])
  })

  it('is mounted across repositories of one registry', async () => {
    const context = application('mounted')
    const image = `${registry.host}/mounted/image:latest`
    const push = ['-t', image, '-o', 'type=registry', '--cache-to']
    const before = mark()
    const cache = `${registry.host}/mounted/cache:main`
    const made = await mustBuild([...push, cache, context], start('mounted-a'))
    const sent = requestsSince(before).filter((one) => one.startsWith('PATCH'))
    assert.equal(sent.length, 3, `each layer of a step is sent once: ${sent.join('\n')}`)
    assert.match(made.stderr, /^#\d+ sending layers to .*mounted\/cache:main$/m)
    assert.match(made.stderr, /^#\d+ .*RUN cat .* done$/m)
    const other = `${registry.host}/mounted/other:main`
    const again = mark()
    const args = ['--cache-from', cache, ...push, other, context]
    const found = await mustBuild(args, start('mounted-b'))
    assert.equal(digestOf(found), digestOf(made))
    const downloads = requestsSince(again).filter((one) => /^GET.*blobs/.test(one))
    assert.equal(downloads.length, 2, `records of both: ${downloads.join('\n')}`)
    assert.doesNotMatch(found.stderr, /sending layers/)
  })

  it('may be in the config of the image', async () => {
    const context = application('inline')
    const image = `${registry.host}/inline:latest`
    const push = ['-t', image, '-o', 'type=registry']
    const made = await mustBuild([...push, '--cache-to', 'type=inline', context], start('inline-a'))
    const from = ['--cache-from', image]
    const inline = ['--build-arg', 'BUILDKIT_INLINE_CACHE=1']
    const found = await mustBuild([...push, ...from, ...inline, context], start('inline-b'))
    assert.deepEqual(ran(found), [])
    assert.equal(digestOf(found), digestOf(made))
    assert.deepEqual(warningsOf(found), [])
    const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', `docker://${image}`])
    assert.equal(JSON.parse(stdout).Layers.length, 4)
  })

  it('is an ordinary index of manifests for other tools', async () => {
    await mustBuild([cacheTo('tools', ',mode=max'), application('tools')], start('tools'))
    const cache = `docker://${registry.host}/tools:cache`
    const { stdout } = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', cache])
    assert.equal(JSON.parse(stdout).manifests.length, 1)
    const folder = directory.file('copied')
    const copy = ['copy', '--all', '--src-tls-verify=false', cache, `oci:${folder}:latest`]
    await run('skopeo', copy)
    const from = ['--cache-from', `type=local,src=${folder}`, directory.file('tools')]
    assert.deepEqual(ran(await mustBuild(from, start('tools-copied'))), [])
  })

  it('gives layers whose times are changed for an output, too', async () => {
    const context = application('times')
    const image = `${registry.host}/times:latest`
    const push = ['-t', image, '-o', 'type=registry,rewrite-timestamp=true']
    const env = { SOURCE_DATE_EPOCH: '1700000000' }
    const args = [...push, cacheFrom('times'), cacheTo('times'), context]
    const made = await mustBuild(args, { ...start('times-a'), env })
    const found = await mustBuild(args, { ...start('times-b'), env })
    assert.deepEqual(ran(found), [])
    assert.equal(digestOf(found), digestOf(made))
  })

  it('may be in a folder, of which what was replaced goes', async () => {
    const context = application('folder')
    const folder = directory.file('cache-folder')
    const to = `type=local,dest=${folder},mode=max,compression=zstd,compression-level=1`
    const blobs = join(folder, 'blobs/sha256')
    for (const round of ['one', 'two', 'three']) {
      writeFileSync(join(context, 'source'), round)
      await mustBuild(['--cache-to', to, context], start('folder-a'))
      for (const name of readdirSync(blobs)) utimesSync(join(blobs, name), 1, 1)
    }
    const from = ['--cache-from', `type=local,src=${folder}`, context]
    assert.deepEqual(ran(await mustBuild(from, start('folder-b'))), [])
    const raw = ['inspect', '--raw', `oci:${folder}:latest`]
    const { manifests } = JSON.parse((await run('skopeo', raw)).stdout)
    const part = join(blobs, manifests[0].digest.slice('sha256:'.length))
    const { layers } = JSON.parse(readFileSync(part, 'utf8'))
    assert.ok(layers.every(({ mediaType }: { mediaType: string }) => mediaType.endsWith('+zstd')))
    // Index, part and records of now, and what the last writer has replaced.
    assert.ok(readdirSync(blobs).length <= layers.length + 6, readdirSync(blobs).join())
  })

  it('is what kaniko calls a repository of a cache', async () => {
    const context = application('kaniko')
    const args = ['kaniko', '--context', context, '--no-push', '--cache']
    const repository = ['--cache-repo', `${registry.host}/kaniko/cache`]
    await mustBuild([...args, ...repository], start('kaniko-a'))
    const found = await mustBuild([...args, ...repository], start('kaniko-b'))
    assert.match(found.stderr, /CACHED/)
    assert.doesNotMatch(found.stderr, /has no effect/)
  })

  it('has cache mounts, too, where that is wanted', async () => {
    const context = writeContext(directory.file('mounts'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox`,
        'ARG WHAT=first',
        'RUN --mount=type=cache,target=/kept ls /kept > /seen; mkdir -p /kept/in; echo $WHAT > /kept/in/$WHAT; chown 3:4 /kept/in',
        'RUN --mount=type=cache,target=/kept ls -n /kept/in >> /seen',
        '',
      ].join('\n'),
    })
    const seen = async (what: string, name: string, args: readonly string[]): Promise<string> => {
      const dest = directory.file(`mounts-${what}`)
      const build = ['--build-arg', `WHAT=${what}`, '-o', dest, ...args, context]
      assert.deepEqual(warningsOf(await mustBuild(build, start(name))), [])
      return readFileSync(join(dest, 'seen'), 'utf8')
    }
    assert.doesNotMatch(await seen('one', 'mounts-a', [cacheTo('mounts', ',mounts=true')]), /^in$/m)
    const two = await seen('two', 'mounts-b', [
      cacheFrom('mounts'),
      cacheTo('mounts', ',mounts=true'),
    ])
    assert.match(two, /^in$/m, 'what the first machine has left')
    assert.match(two, / one$/m)
    const three = await seen('three', 'mounts-c', [cacheFrom('mounts')])
    assert.match(three, / one\n(.*\n)*.* three\n(.*\n)*.* two$/m)
    const none = await seen('four', 'mounts-d', ['--no-cache', cacheFrom('mounts')])
    assert.doesNotMatch(none, / one$/m, 'without the cache they begin empty')
  })

  it('is believed only what is signed, where that is wanted', async () => {
    const context = application('signed')
    const keys = ['one', 'two'].map((name) => makeKey(directory, name))
    const [one, two] = keys
    assert.ok(one !== undefined && two !== undefined)
    await mustBuild([cacheTo('signed', `,mode=max,sign=${one.secret}`), context], start('signed-a'))
    const from = (key: string): string => `${cacheFrom('signed')},verify=${key}`
    const found = await mustBuild([from(one.open), context], start('signed-b'))
    assert.deepEqual(ran(found), [])
    assert.deepEqual(warningsOf(found), [])
    const refused = await mustBuild([from(two.open), context], start('signed-c'))
    assert.equal(ran(refused).length, 5)
    assert.match(warningsOf(refused).join(), /not signed with the key/)
    // Whoever may write, but has no key, replaces results, and links to them.
    await mustBuild(['--no-cache', cacheTo('signed', ',mode=max'), context], start('signed-d'))
    const again = await mustBuild([from(one.open), context], start('signed-e'))
    assert.ok(ran(again).length >= 3, `${ran(again)}`)
    assert.match(warningsOf(again).join(), /not signed with the key/)
    const trusting = await mustBuild([cacheFrom('signed'), context], start('signed-f'))
    assert.deepEqual(ran(trusting), [])
    for (const args of [[cacheTo('signed', `,sign=${one.open}`)], [from(`${one.secret}x`)]]) {
      const outcome = await tsbuild([...args, context], start('signed-f'))
      assert.equal(outcome.status, 1)
      assert.match(outcome.stderr, /has no private key|read the key .*ENOENT/)
    }
  })

  describe('that cannot be used', () => {
    let context: string
    before(() => {
      context = application('refused')
    })

    it('is a warning where it is missing, or something else', async () => {
      const build = [cacheFrom('nothing'), '--cache-from', `${registry.host}/busybox`, context]
      const outcome = await mustBuild(build, start('refused'))
      assert.equal(ran(outcome).length, 5)
      const warnings = warningsOf(outcome)
      assert.equal(warnings.length, 2, warnings.join('\n'))
      assert.ok(warnings.some((one) => /there is no cache .*nothing:cache yet/.test(one)))
      assert.ok(
        warnings.some((one) =>
          /busybox:latest cannot be used as a cache: it is an image/.test(one),
        ),
      )
    })

    it('is an error for --cache-to, after the image was stored', async () => {
      const to = ['--cache-to', `${registry.host}/busybox`]
      const outcome = await tsbuild(['-t', 'kept', ...to, context], start('refused'))
      assert.equal(outcome.status, 1)
      assert.match(outcome.stderr, /export the cache to .*busybox:latest: it is an image/)
      assert.match((await tsbuild(['images'], start('refused'))).stdout, /kept/)
      const ignored = `${to[1]},ignore-error=true`
      const args = ['--cache-to', `type=registry,ref=${ignored}`, context]
      assert.match((await mustBuild(args, start('refused'))).stderr, /1 warning found/)
    })

    it('says where access is denied', async () => {
      await using closed = await MemoryRegistry.start({
        auth: { kind: 'bearer', users: { alice: 'secret' } },
      })
      const cache = `${closed.host}/team/app:cache`
      const from = await mustBuild(['--cache-from', cache, context], start('refused-denied'))
      assert.match(
        warningsOf(from).join(),
        /team\/app:cache cannot be read.*denied access.*tsbuild login/,
      )
      const to = await tsbuild(['--cache-to', cache, context], start('refused-denied'))
      assert.equal(to.status, 1)
      assert.match(to.stderr, /export the cache to .*denied access/)
      assert.match(to.stderr, /tsbuild login/)
    })

    it('is a warning where no registry answers', async () => {
      const from = ['--cache-from', '127.0.0.1:1/app:cache']
      const outcome = await mustBuild([...from, context], start('refused-off'))
      assert.equal(ran(outcome).length, 5)
      assert.match(warningsOf(outcome).join(), /127.0.0.1:1\/app:cache cannot be read.*refused/)
    })
  })

  for (const what of ['garbled', 'truncated', 'missing'] as const) {
    it(`is a warning where parts of it are ${what}, and the build is right`, async () => {
      const name = `damaged-${what}`
      const context = application(name)
      await mustBuild([cacheTo(name, ',mode=max'), context], start(`${name}-a`))
      const folder = directory.file(`${name}-copy`)
      const cache = `docker://${registry.host}/${name}:cache`
      const copy = ['copy', '--all', '--src-tls-verify=false', cache]
      await run('skopeo', [...copy, `oci:${folder}:latest`])
      const blobs = readdirSync(join(folder, 'blobs/sha256'))
      assert.ok(blobs.length >= 7)
      for (const blob of blobs) {
        const bad = directory.file(`${name}-${blob.slice(0, 8)}`)
        cpSync(folder, bad, { recursive: true })
        damage(join(bad, 'blobs/sha256', blob), what)
        const dest = directory.file(`${name}-${blob.slice(0, 8)}-out`)
        const args = ['--cache-from', `type=local,src=${bad}`, '-o', dest, context]
        const outcome = await mustBuild(args, start(`${name}-${blob.slice(0, 8)}`))
        for (const file of ['first', 'made', 'last']) {
          assert.match(readFileSync(join(dest, file), 'utf8'), /^\d+\.\d+ /)
        }
        const isUsed = ran(outcome).length > 0
        assert.equal(warningsOf(outcome).length > 0, isUsed, outcome.stderr)
      }
    })
  }
})

/** Files of a new pair of keys. */
function makeKey(
  directory: TemporaryDirectory,
  name: string,
): { readonly secret: string; readonly open: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const secret = directory.file(`${name}.pem`)
  const open = directory.file(`${name}.pub.pem`)
  writeFileSync(secret, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(open, publicKey.export({ type: 'spki', format: 'pem' }))
  return { secret, open }
}

function damage(path: string, how: 'garbled' | 'truncated' | 'missing'): void {
  const bytes = readFileSync(path)
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  if (how === 'missing') rmSync(path)
  else writeFileSync(path, how === 'truncated' ? bytes.subarray(0, middle) : bytes)
}
