import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import {
  createUser,
  ensurePackages,
  type Outcome,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
  type User,
  writeLayout,
} from '../../support/peers/index.ts'
import { directory, file, symlink, tar } from '../../support/raw-tar/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { type Installed, installedFor } from '../support/installed.ts'
import { stepsThat, tsbuild } from '../support/tsbuild.ts'

const APP = { uid: 1000, gid: 1000 }
const OTHERS =
  /\/home\/app \(1000:1000\), \/home\/app\/file \(1000:1000\), \/home\/app\/su \(1000:1000\) and 1 more/

describe('a user with a single id', function () {
  this.timeout(120_000)
  const stack = new AsyncDisposableStack()
  let user: User
  let installed: Installed
  let registry: MemoryRegistry
  let place: TemporaryDirectory

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    await ensurePackages()
    user = stack.use(await createUser())
    installed = stack.use(await installedFor(user))
    registry = await MemoryRegistry.start()
    stack.defer(() => registry.close())
  })
  after(() => stack.disposeAsync())
  beforeEach(async () => {
    place = temporaryDirectory('single', 0o777)
    mkdirSync(place.file('context'))
    writeFileSync(place.file('context/added'), 'added\n')
    const base = place.file('base.tar')
    writeFileSync(
      base,
      tar(
        directory('bin/'),
        file('bin/busybox', readFileSync('/bin/busybox').toString('latin1'), { mode: 0o755 }),
        symlink('bin/sh', 'busybox'),
        directory('home/'),
        directory('home/app/', APP),
        file('home/app/file', 'x\n', APP),
        file('home/app/su', 'su', { ...APP, mode: 0o4755 }),
        file('secret', 's', { gid: 42, mode: 0o640 }),
      ),
    )
    mkdirSync(place.file('base'))
    await writeLayout(place.file('base'), { tar: base, config: { Env: ['PATH=/bin'] } })
  })
  afterEach(() => place[Symbol.dispose]())

  /** Set-uid programs, newuidmap among them, do nothing for the one id. */
  function call(args: readonly string[], ids: 'one' | 'many' = 'one'): Promise<Outcome> {
    const words = ['--no-new-privs', ...user.prefix.slice(1)]
    return tsbuild([...args, '--insecure-registry', registry.host], {
      root: place.file('store'),
      cwd: '/',
      prefix: ids === 'many' ? user.prefix : [user.prefix[0] ?? '', ...words],
      installed,
    })
  }

  function build(lines: readonly string[], args: readonly string[], ids?: 'one' | 'many') {
    writeFileSync(place.file('context/Dockerfile'), lines.join('\n'))
    const base = ['--build-context', `base=oci-layout://${place.file('base')}:latest`]
    return call(['build', '--network=none', ...base, ...args, place.file('context')], ids)
  }

  const push = (name: string) => ['-t', `${registry.host}/${name}`, '--push']

  /** Owners in the topmost layer of a pushed image, as tar reads them. */
  async function ownersIn(name: string): Promise<Readonly<Record<string, string>>> {
    const manifest = registry.manifest(name, 'latest')
    assert.ok(manifest, `${name} was not pushed`)
    const { layers } = JSON.parse(manifest.bytes.toString())
    const path = place.file('layer.tgz')
    writeFileSync(path, registry.blob(name, layers.at(-1).digest) ?? '')
    const listed = await run('tar', ['tvzf', path, '--numeric-owner'])
    const lines = listed.stdout.trim().split('\n')
    return Object.fromEntries(
      lines.map((line) => {
        const [, owner = ''] = line.split(/\s+/)
        return [line.replace(/^.*\d\d:\d\d /, ''), owner]
      }),
    )
  }

  function assertOk(outcome: Outcome): void {
    assert.equal(outcome.status, 0, outcome.stderr)
  }

  it('pushes copies with the owners that they have', async () => {
    const lines = [
      'FROM base AS built',
      'RUN echo ran > /ran',
      'COPY --chown=7:8 added /home/app/owned',
      'FROM base',
      'ADD archive.tar /copied/',
      'COPY --from=built /home/app /copied/',
      'COPY added /home/app/added',
    ]
    const archive = tar(directory('from/', APP), file('from/archive', 'x', { uid: 5, gid: 6 }))
    writeFileSync(place.file('context/archive.tar'), archive)
    const outcome = await build(lines.slice(0, -2), push('archive'))
    assertOk(outcome)
    assert.deepEqual(await ownersIn('archive'), {
      'copied/': '0/0',
      'copied/from/': '1000/1000',
      'copied/from/archive': '5/6',
    })
    assertOk(await build(lines.slice(0, -1), push('copies')))
    assert.deepEqual(await ownersIn('copies'), {
      'copied/': '0/0',
      'copied/file': '1000/1000',
      'copied/owned': '7/8',
      'copied/su': '1000/1000',
    })
    assertOk(await build(lines, push('below')))
    assert.deepEqual(await ownersIn('below'), {
      'home/': '0/0',
      'home/app/': '1000/1000',
      'home/app/added': '0/0',
    })
  })

  it('pushes what steps made themselves, and reports what they see', async () => {
    const outcome = await build(['FROM base', 'RUN echo new > /new'], push('new'))
    assertOk(outcome)
    assert.match(outcome.stderr, OTHERS)
    assert.match(outcome.stderr, /one user id only.*install newuidmap/)
    assert.deepEqual(await ownersIn('new'), { new: '0/0' })
    assert.doesNotMatch(outcome.stderr, /may be wrong/)
  })

  const CHANGED = ['FROM base', 'RUN echo more >> /home/app/file', 'RUN chmod 600 /secret']

  it('pushes files of others that a step changed only when asked to', async () => {
    const wrong =
      /may be wrong now: \/home\/app \(1000:1000\), \/home\/app\/file \(1000:1000\), \/secret \(0:42\) \(install/
    for (const kind of ['made', 'cached']) {
      const refused = await build(CHANGED, push('changed'))
      assert.equal(refused.status, 1, kind)
      assert.match(refused.stderr, wrong)
      assert.match(refused.stderr, /ERROR: push: .*\/secret \(0:42\)/)
      assert.match(refused.stderr, /--ignore-chown-errors/)
    }
    const name = `${registry.host}/changed`
    const later = await call(['push', name])
    assert.equal(later.status, 1)
    assert.match(later.stderr, /may be wrong now: .*\/secret \(0:42\)/)
    const typed = await build(CHANGED, ['-o', `type=registry,name=${name}`])
    assert.equal(typed.status, 1)
    assert.equal(registry.manifest('changed', 'latest'), undefined)
    assertOk(await build(CHANGED, ['-t', 'local']))
    assertOk(await call(['push', '--ignore-chown-errors', name]))
    assert.deepEqual(await ownersIn('changed'), { secret: '0/42' })
    assertOk(await build(CHANGED, [...push('again'), '--ignore-chown-errors']))
    // It leaves as it came.
    assertOk(await build([`FROM ${name}`, 'COPY added /'], [...push('on-top'), '--pull']))
  })

  it('gets no cache of another owner, and no path of the store in the error', async () => {
    const mount = '--mount=type=cache,target=/own,uid=5'
    const { status, stderr } = await build(['FROM base', `RUN ${mount} true`], ['-t', 'x'])
    assert.equal(status, 1)
    const expected =
      'mount /own for 5:0: this user namespace lacks these ids: EINVAL: invalid argument, fchown (STEP_FAILED)'
    assert.ok(stderr.includes(`ERROR: ${expected}\n`), stderr)
  })

  it('refuses copies of files that a step changed', async () => {
    const lines = [
      ...[...CHANGED, 'FROM base AS mid', 'COPY --from=0 /secret /between', 'RUN echo > /other'],
      ...['FROM scratch', 'COPY --from=1 /between /secret'],
    ]
    // Then the copy is wanted as a tar and as a directory.
    assertOk(await build(lines, ['-t', 'mid', '--target', 'mid']))
    const refused = await build(lines, push('copied'))
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /ERROR: push: .* now: \/secret \(0:42\)/)
    const given = lines.with(-1, 'COPY --from=1 --chown=5:6 /between /secret')
    assertOk(await build(given, push('given')))
    assert.deepEqual(await ownersIn('given'), { secret: '5/6' })
  })

  it('has its layers made right once there are more ids', async () => {
    const seen = 'RUN stat -c "%u:%g %a" /home/app/su /secret'
    const mounted = [
      'FROM base AS own',
      'FROM base',
      'RUN --mount=from=own,target=/m cat /m/secret',
    ]
    const lines = [...mounted.slice(0, 1), ...CHANGED, mounted.at(-1) ?? '', seen]
    assertOk(await build(lines, ['-t', 'first']))
    const outcome = await build(lines, push('right'), 'many')
    assertOk(outcome)
    assert.deepEqual(stepsThat('CACHED', outcome), [])
    assert.match(outcome.stderr, / 1000:1000 4755\n.* 0:42 600\n/)
    assert.doesNotMatch(outcome.stderr, /one user id only/)
    const again = await build(CHANGED, push('right'), 'many')
    assertOk(again)
    assert.equal(stepsThat('CACHED', again).length, 2)
    assert.deepEqual(await ownersIn('right'), { secret: '0/42' })
  })

  it('has a layer that comes out the same with more ids made once', async () => {
    // Without times of their own, both have the same content.
    const flags = [...push('same'), '--reproducible']
    assertOk(await build(CHANGED, [...flags, '--ignore-chown-errors']))
    const more = await build(CHANGED, flags, 'many')
    assertOk(more)
    assert.deepEqual(stepsThat('CACHED', more), [])
    const again = await build(CHANGED, flags, 'many')
    assertOk(again)
    assert.equal(stepsThat('CACHED', again).length, 2)
    assert.deepEqual(await ownersIn('same'), { secret: '0/42' })
  })
})
