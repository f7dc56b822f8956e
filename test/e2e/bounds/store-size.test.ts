import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  capture,
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { seededRandom } from '../../support/random/index.ts'
import { writeContext } from '../support/context.ts'
import { storeFaults } from '../support/store-check.ts'
import { HERE, mustBuild, startTsbuild, stepsThat, tsbuild } from '../support/tsbuild.ts'

interface Listed {
  readonly items: readonly {
    readonly id: string
    readonly type: string
    readonly description: string
    readonly size: number
    readonly reclaimable: boolean
    readonly images: readonly string[]
  }[]
  readonly total: number
  readonly reclaimable: number
}

/** What GNU's du counts, in bytes. */
async function diskUse(path: string): Promise<number> {
  const { stdout } = await run('du', ['-s', '--block-size=1', path])
  return Number.parseInt(stdout, 10)
}

describe('what a store takes', function () {
  this.timeout(240_000)
  let directory: TemporaryDirectory
  let registry: Registry
  before(async () => {
    directory = temporaryDirectory('prune')
    registry = await startBusyboxRegistry()
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = (name: string) => ({ root: directory.file(`store-${name}`), timeoutMs: 120_000 })

  async function list(root: string): Promise<Listed> {
    const { stdout } = await mustBuild(['du', '--format', 'json'], { root })
    return JSON.parse(stdout) as Listed
  }

  /** A final stage that copies from a stage which makes much more than that. */
  function application(name: string, version = 'v1'): string {
    return writeContext(directory.file(`context-${name}`), {
      Dockerfile: [
        `FROM ${registry.host}/busybox:latest AS made`,
        'COPY version /version',
        `RUN dd if=/dev/zero of=/waste bs=1M count=4 && tr a-z A-Z < /version > /result`,
        `RUN --mount=type=cache,sharing=locked,id=spoilt,target=/c dd if=/dev/zero of=/c/x bs=1M count=3; cat /c/x | wc -c > /count`,
        `FROM ${registry.host}/busybox:latest`,
        'COPY --from=made /result /count /',
        'RUN test -s /result && echo done > /done',
        '',
      ].join('\n'),
      version,
    })
  }

  it('is counted as du(1) counts it, and freed but for what images have', async () => {
    const { root } = start('freed')
    const context = application('freed')
    await mustBuild(['-t', 'localhost/app:1', context], { root })
    writeFileSync(join(context, 'version'), 'v2')
    await mustBuild(['-t', 'localhost/app:1', context], { root })
    const listed = await list(root)
    const before = await diskUse(root)
    assert.equal(listed.total, before)
    assert.ok(listed.reclaimable > 11_000_000)
    const { stdout } = await mustBuild(['prune', '--force'], { root })
    assert.match(stdout, /^ID +RECLAIMABLE +SIZE +LAST ACCESSED +DESCRIPTION\n/)
    assert.match(stdout, /\nTotal: 1\d\.\d\dMB\n$/)
    const after = await diskUse(root)
    assert.ok(before - after > 11_000_000, `${before} and ${after}`)
    assert.equal((await list(root)).total, await diskUse(root))
    assert.equal((await list(root)).reclaimable, 0)
    assert.deepEqual(storeFaults(root), [])
    // The image's own steps are cached still; those of the other stage are not needed for it.
    const rebuilt = stepsThat('DONE', await mustBuild([context], { root }))
    assert.deepEqual(
      rebuilt.filter((step) => !step.startsWith('[made ')),
      [],
    )
    await mustBuild(['prune', '--force', '--all'], { root })
    assert.deepEqual(storeFaults(root), [])
    const again = await mustBuild(['-t', 'localhost/app:2', context], { root })
    assert.equal(stepsThat('DONE', again).length, 5)
  })

  it('is not looked at after a build that has stored nothing, or little', async () => {
    const { root } = start('little')
    const context = application('little')
    const flags = ['-t', 'localhost/app:1', context]
    await mustBuild(flags, { root })
    const note = join(root, 'size')
    interface Note {
      readonly used: number
      readonly added: number
    }
    const read = (): Note => JSON.parse(readFileSync(note, 'utf8')) as Note
    const first = read()
    assert.equal(first.used, 0)
    assert.ok(first.added > 100_000)
    const { mtimeMs } = statSync(note)
    await mustBuild(flags, { root })
    assert.equal(statSync(note).mtimeMs, mtimeMs, 'all was cached')
    writeFileSync(join(context, 'version'), 'another')
    await mustBuild(flags, { root })
    assert.equal(read().used, 0)
    assert.ok(read().added > first.added)
    await mustBuild(['prune', '--force', '--filter', 'until=1h'], { root })
    assert.equal(read().added, 0)
    assert.ok(Math.abs(read().used - (await diskUse(root))) < 200_000)
  })

  it('leaves images that can be pushed, copied and unpacked', async () => {
    const { root } = start('images')
    const image = `${registry.host}/kept:1`
    await mustBuild(['-t', image, application('images')], { root })
    const out = directory.file('before')
    await mustBuild(['-o', out, '-t', image, application('images')], { root })
    await mustBuild(['prune', '--force', '--all'], { root })
    await mustBuild(['push', image], { root })
    const layout = directory.file('layout')
    await run('skopeo', ['copy', '--quiet', `oci:${root}:${image}`, `oci:${layout}:app`])
    const bundle = directory.file('bundle')
    const unpack = ['unpack', '--rootless', '--image', `${layout}:app`, bundle]
    if (process.geteuid?.() === 0) unpack.splice(1, 1)
    await run('umoci', unpack)
    for (const name of ['result', 'count', 'done']) {
      const wanted = readFileSync(join(out, name), 'utf8')
      assert.equal(readFileSync(join(bundle, 'rootfs', name), 'utf8'), wanted)
    }
  })

  it('is freed by rmi --prune as far as only that image had it', async () => {
    const { root } = start('rmi')
    for (const name of ['a', 'b']) {
      const files = {
        Dockerfile: 'FROM scratch\nCOPY * /\n',
        common: 'x'.repeat(2_000_000),
        own: name.repeat(3_000_000),
      }
      const context = writeContext(directory.file(`context-only-${name}`), files)
      await mustBuild(['-t', `localhost/${name}:1`, context], { root })
    }
    const before = await diskUse(root)
    const plain = await mustBuild(['rmi', 'localhost/a:1'], { root })
    assert.equal(plain.stdout, 'removed localhost/a:1\n')
    assert.ok((await diskUse(root)) >= before - 8192)
    const { stdout } = await mustBuild(['rmi', '--prune', 'localhost/b:1'], { root })
    assert.match(stdout, /^removed localhost\/b:1\nfreed 5\.\d\dMB\n$/)
    const freed = before - (await diskUse(root))
    assert.ok(freed > 4_900_000 && freed < 6_000_000, `${freed}`)
    assert.deepEqual(storeFaults(root), [])
  })

  it('has one cache mount that can be reset alone', async () => {
    const { root } = start('mount')
    const context = writeContext(directory.file('context-mount'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox:latest`,
        'ARG N',
        'RUN --mount=type=cache,id=one,target=/c echo $N >> /c/log; cat /c/log',
        'RUN --mount=type=cache,id=two,target=/c echo $N >> /c/log; cat /c/log',
        '',
      ].join('\n'),
    })
    await mustBuild(['--build-arg', 'N=1', context], { root })
    const filters = ['--filter', 'type=exec.cachemount', '--filter', 'id=one']
    const { stdout } = await mustBuild(['prune', '-f', '--format=json', ...filters], { root })
    const { removed } = JSON.parse(stdout) as { removed: Listed['items'] }
    assert.deepEqual(
      removed.map(({ description }) => description),
      ['cache mount /one'],
    )
    const { stderr } = await mustBuild(['--build-arg', 'N=2', context], { root })
    const said = [...stderr.matchAll(/^#\d+ \d+\.\d+ (\d)$/gm)].map(([, digit]) => digit)
    assert.deepEqual(said, ['2', '1', '2'])
  })

  it('never misses what a build uses, however often it is pruned', async () => {
    const { root } = start('busy')
    const names = ['p', 'q', 'r']
    const wanted = new Map<string, string>()
    const flags = (name: string): readonly string[] => [
      ...['--reproducible', '-t', `localhost/${name}:1`, '-q'],
      application(`busy-${name}`, name),
    ]
    for (const name of names) {
      const calm = { root: directory.file('store-calm') }
      wanted.set(name, (await mustBuild(flags(name), calm)).stdout)
    }
    let isBuilding = true
    let rounds = 0
    const pruning = (async () => {
      const kinds = [['--all'], [], ['--max-used-space', '4MB'], ['--filter', 'type=regular']]
      for (; isBuilding; rounds += 1) {
        const kind = kinds[rounds % kinds.length] ?? []
        await mustBuild(['prune', '--force', ...kind], { root })
      }
    })()
    const building = names.map(async (name, at) => {
      for (let round = 0; round < 3; round += 1) {
        const { stdout } = await mustBuild(flags(name), { root, timeoutMs: 100_000 })
        assert.equal(stdout, wanted.get(name))
        if (at === 0) await tsbuild(['rmi', `localhost/${name}:1`], { root })
      }
    })
    try {
      await Promise.all(building)
    } finally {
      isBuilding = false
    }
    await pruning
    assert.ok(rounds > 2, `${rounds}`)
    assert.deepEqual(storeFaults(root), [])
    assert.deepEqual(readdirSync(join(root, 'tmp')), [])
    assert.equal((await list(root)).total, await diskUse(root))
  })

  it('stays sound when a prune is killed, and another one finishes', async () => {
    const { root } = start('killed')
    const random = seededRandom(49)
    await mustBuild(['-t', 'localhost/kept:1', application('kept')], { root })
    let killed = 0
    for (let round = 0; round < 6; round += 1) {
      const version = `${round}`
      await mustBuild(['-q', '-t', 'localhost/other:1', application('other', version)], { root })
      const child = startTsbuild(['prune', '--force', '--all'], { root })
      const exited = once(child, 'exit')
      await Promise.race([delay(60 + random() * 140), exited])
      if (child.exitCode === null) killed += 1
      child.kill('SIGKILL')
      await exited
      assert.deepEqual(storeFaults(root), [])
    }
    assert.ok(killed > 0)
    await mustBuild(['prune', '--force', '--all'], { root })
    const { reclaimable, total } = await list(root)
    assert.equal(reclaimable, 0)
    assert.equal(total, await diskUse(root))
    const folders = readdirSync(join(root, 'layers'))
    assert.deepEqual(folders, [])
    await mustBuild(['-t', 'localhost/kept:1', application('kept')], { root })
    assert.deepEqual(storeFaults(root), [])
  })

  it('can be freed on a full disk', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const context = writeContext(directory.file('context-full'), {
      Dockerfile: 'FROM scratch\nCOPY random /random\n',
      random: randomBytes(3_000_000),
    })
    mkdirSync(directory.file('small'), { recursive: true })
    const tool = HERE.command.join(' ')
    const script = `mount -t tmpfs -o size=8m none small && export TSBUILD_ROOT=small/store HOME=$PWD/home
      ${tool} -q -t a ${context} && ${tool} rmi a && { dd if=/dev/zero of=small/fill bs=4k 2> /dev/null || true; }
      test $(stat -f -c %a small) = 0 && ${tool} prune --force --filter type=regular && stat -f -c 'free %a' small`
    const { status, stdout, stderr } = await capture('unshare', ['-m', 'sh', '-ec', script], {
      cwd: directory.path,
    })
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /\nTotal: 3\.\d+MB\nfree 7\d\d\n$/)
  })

  it('stays within --cache-max, $TSBUILD_CACHE_MAX or the settings of the user', async () => {
    const { root } = start('limited')
    const within = async (version: string, flags: readonly string[], env = {}) => {
      const context = application('limited', version)
      const { stderr } = await mustBuild(['-t', 'localhost/app:1', ...flags, context], {
        root,
        env,
      })
      return stderr
    }
    for (const version of ['1', '2', '3', '4']) {
      assert.match(await within(version, ['--cache-max', '14MB']), /\nsteps {3}\d, \d cached, .*\n/)
      assert.ok((await diskUse(root)) < 14 * 1024 * 1024, version)
    }
    assert.doesNotMatch(await within('5', ['--cache-max', 'none']), /^freed/m)
    const env = { TSBUILD_CACHE_MAX: '9MB' }
    assert.match(await within('6', [], env), /^freed {3}\d+\.\d\dMB of what was worth least/m)
    assert.ok((await diskUse(root)) < 9 * 1024 * 1024)
    const folder = `${root}.home/.config/tsbuild`
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'config.toml'), '# mine\ncache-max = "6MB"\n')
    assert.match(await within('7', []), /^freed/m)
    assert.ok((await diskUse(root)) < 6 * 1024 * 1024)
    // What was wanted is there, whatever the settings are like.
    writeFileSync(join(folder, 'config.toml'), 'cache-max = 6MB\n')
    assert.match(
      await within('8', []),
      /\nWARNING: the store was not kept within its size: .*config\.toml: /,
    )
    writeFileSync(join(folder, 'config.toml'), 'cache-max = "much"\n')
    assert.match(await within('9', []), /\nWARNING: .*invalid cache-max in .*config\.toml "much"/)
    assert.deepEqual(storeFaults(root), [])
    const { stderr, status } = await tsbuild(['--cache-max', '5 apples', '.'], { root })
    assert.equal(status, 1)
    assert.match(stderr, /invalid --cache-max "5 apples" \(USAGE\)\nhint: write it like/)
  })

  it('has digests of contexts that are gone', async () => {
    const { root } = start('digests')
    const context = writeContext(directory.file('context-gone'), {
      Dockerfile: 'FROM scratch\nCOPY . /\n',
      file: 'text',
    })
    // Digests of files that are younger than two seconds are not remembered.
    await delay(2100)
    await mustBuild([context], { root })
    assert.equal(readdirSync(join(root, 'digests')).length, 1)
    rmSync(context, { recursive: true })
    const filters = ['--filter', 'type=source.local', '--filter', 'description~=is gone$']
    const { stdout } = await mustBuild(['prune', '-f', ...filters], { root })
    assert.match(stdout, /digests of \S+context-gone, wh/)
    assert.deepEqual(readdirSync(join(root, 'digests')), [])
    assert.ok(existsSync(join(root, 'tsbuild.db')))
  })
})
