import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TsbuildError } from '#core'
import { capture, run, temporaryDirectory } from '../../support/peers/index.ts'
import {
  directory,
  file,
  hardlink,
  header,
  pax,
  symlink,
  tar,
} from '../../support/raw-tar/index.ts'
import { ContainerRoot, makeRoot } from './container-root.ts'

const OUTSIDE = 'what lies outside of the container'
const INSIDE = 'inside'

describe('hostile containers and archives', () => {
  const folder = temporaryDirectory('hostile')
  const canary = folder.file('canary')
  let root: ContainerRoot

  before(() => {
    const path = folder.file('root')
    for (const made of [canary, path, join(path, 'd'), join(path, 'dir')]) mkdirSync(made)
    writeFileSync(join(canary, 'secret'), OUTSIDE)
    mkdirSync(join(canary, 'sub'))
    writeFileSync(join(path, 'd/secret'), INSIDE)
    writeFileSync(join(path, 'f'), INSIDE)
    symlinkSync(canary, join(path, 'l'))
    symlinkSync(canary, join(path, 'out'))
    root = new ContainerRoot(path)
  })
  after(async () => {
    await root[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  /** All that can be seen of the canary, also when its files were changed last. */
  function stateOf(path: string = canary): string {
    const { ino, mode, uid, nlink, size, mtimeMs, ctimeMs } = lstatSync(path)
    const own = [path, ino, mode, uid, nlink, size, mtimeMs, ctimeMs].join(' ')
    if (!lstatSync(path).isDirectory()) return own
    return [own, ...readdirSync(path).map((name) => stateOf(join(path, name)))].join('\n')
  }

  describe('a container that exchanges folders for links', () => {
    let swapper: ChildProcess
    let ended: Promise<unknown>

    before(async () => {
      await run('mkfifo', [join(root.path, 'p')])
      const script = fileURLToPath(new URL('./swapper.js', import.meta.url))
      swapper = spawn(process.execPath, [script, root.path], { stdio: ['pipe', 'pipe', 'inherit'] })
      ended = once(swapper, 'exit')
      if (swapper.stdout) await once(swapper.stdout, 'data')
    })
    after(async () => {
      swapper.stdin?.end()
      assert.deepEqual(await ended, [0, null])
    })

    it('leads a naive walk outside', () => {
      const path = join(root.path, 'd')
      const naive = (): boolean => {
        try {
          return (
            lstatSync(path).isDirectory() && readFileSync(join(path, 'secret'), 'utf8') === OUTSIDE
          )
        } catch {
          return false
        }
      }
      const end = performance.now() + 20_000
      while (!naive()) assert.ok(performance.now() < end, 'the attack works')
    })

    it('is never followed by what is read', async () => {
      let inside = 0
      for (const since = performance.now(); inside < 50 || performance.now() < since + 1500; ) {
        const paths = ['/d', '/d/', '/d/secret', '/', '/f']
        const archives = await Promise.all(paths.map((path) => unlessGone(root.archive(path))))
        for (const archive of archives) {
          if (archive?.includes(INSIDE)) inside += 1
          assert.equal(archive?.includes(OUTSIDE) ?? false, false)
        }
        const found = await unlessGone(root.files.stat(root.at('/d/secret')))
        assert.ok(found === undefined || found.size === INSIDE.length)
      }
    })

    it('is never followed by what is written', async () => {
      const before = stateOf()
      const fields = { mode: 0o4777, uid: 77 }
      const archive = tar(
        file('new', 'x', fields),
        file('secret', INSIDE, fields),
        directory('sub', fields),
        file('sub/new', 'x', fields),
        symlink('link', 'x'),
        hardlink('hard', 'new'),
        header({ name: 'fifo', type: '6', ...fields }),
        header({ name: 'null', type: '3', major: 1, minor: 3, ...fields }),
      )
      const below = tar(
        file('d/new', 'x', fields),
        directory('d/sub', fields),
        file('d/sub/a/b', 'x'),
      )
      let written = 0
      for (const since = performance.now(); written < 50 || performance.now() < since + 1500; ) {
        const done = await Promise.all([
          unlessGone(root.extract('/d', archive).then(() => 1)),
          unlessGone(root.extract('/', below).then(() => 1)),
        ])
        for (const one of done) written += one ?? 0
      }
      assert.equal(stateOf(), before)
    })
  })

  describe('an archive', () => {
    const SECRET = `${canary}/secret`
    const names = [
      ...['../x', 'a/../../x', '/abs', '//abs', './../x', '..', '.', 'a/./b', 'a//b', '..\\x'],
      ...[
        `${'../'.repeat(40)}x`,
        'trailing/',
        `${canary}/x`,
        `..${canary}/x`,
        'dir/../../canary/x',
      ],
    ]
    const archives: readonly Buffer[] = [
      ...names.map((name) => tar(file(name, 'x'))),
      ...names.map((name) => tar(directory(name, { mode: 0o777 }), file(`${name}/in`, 'x'))),
      tar(symlink('.', canary), file('pwned', 'x')),
      tar(symlink('./', canary), file('pwned', 'x')),
      tar(symlink('l1', canary), file('l1/x', 'x'), directory('l1/sub', { mode: 0o777 })),
      tar(symlink('u', '..'), symlink('u/u', '..'), file('u/u/canary/x', 'x')),
      tar(
        symlink('a', '.'),
        symlink('b', 'a/..'),
        symlink('c', 'b/..'),
        file(`c/..${canary}/x`, 'x'),
      ),
      tar(directory('sw'), file('sw/a', 'x'), symlink('sw', canary), file('sw/secret', 'x')),
      tar(file('out/x', 'x'), directory('out/sub', { mode: 0o777, uid: 5 })),
      ...[SECRET, '../../canary/secret', 'out/secret', '../canary/secret'].map((link) =>
        tar(hardlink('stolen', link), file('stolen', 'overwritten')),
      ),
      tar(symlink('s', SECRET), hardlink('s2', 's'), header({ name: 's2', mode: 0o4755, uid: 1 })),
      tar(symlink('s3', SECRET), file('s3', 'x', { mode: 0o4777, uid: 9 })),
      tar(hardlink('self', 'self')),
      tar(hardlink('to-directory', 'dir')),
      tar(file('x', 'x'), file('x/y', 'y')),
      tar(pax({ path: '../pax' }), file('x', 'x')),
      tar(pax({ linkpath: SECRET }), hardlink('x', 'y')),
      tar(pax({ 'SCHILY.xattr.trusted.overlay.redirect': '/hidden' }), directory('redirected')),
      tar(header({ name: 'whiteout', type: '3' })),
      tar(header({ name: 'device', type: '3', major: 2 ** 21 - 1, minor: 1 })),
      tar(file('f', 'x', { raw: { 124: '-0000000001\0' } })),
      tar(
        header({
          name: 'huge',
          raw: { 124: Buffer.from([0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]) },
        }),
      ),
    ]

    it('never reaches what is outside, whatever its names and links are', async () => {
      const before = stateOf()
      const above = readdirSync(folder.path).toSorted()
      let [taken, refused] = [0, 0]
      for (const archive of archives) {
        for (const path of ['/', '/dir', '/out/..', '/dir/']) {
          try {
            await root.extract(path, archive)
            taken += 1
          } catch (cause) {
            assert.ok(cause instanceof TsbuildError, String(cause))
            assert.ok(
              ['LAYER_INVALID', 'NOT_FOUND', 'IO_FAILED'].includes(cause.code),
              cause.message,
            )
            refused += 1
          }
        }
      }
      assert.ok(taken > 30 && refused > 30, `${taken} ${refused}`)
      assert.equal(stateOf(), before)
      assert.deepEqual(readdirSync(folder.path).toSorted(), above)
    })

    it('leaves the folder that it is unpacked to through no link of its own', async () => {
      const path = join(root.path, 'etc')
      mkdirSync(path)
      for (const to of ['../etc', '/etc']) {
        const archive = tar(symlink('way', to), file('way/passwd', 'x'))
        await assert.rejects(root.extract('/dir', archive), { code: 'LAYER_INVALID' })
      }
      assert.deepEqual(readdirSync(path), [])
      // The twins: one within the folder, and one that the container has.
      await root.extract('/dir', tar(directory('real'), symlink('way', 'real'), file('way/a', 'x')))
      assert.equal(existsSync(join(root.path, 'dir/real/a')), true)
      symlinkSync('/etc', join(root.path, 'dir/own'))
      await root.extract('/dir', tar(file('own/passwd', 'x')))
      assert.deepEqual(readdirSync(path), ['passwd'])
    })

    it('is unpacked without programs of the container', async () => {
      const busybox = folder.file('programs')
      await makeRoot(busybox)
      const packers = ['gzip', 'bzip2', 'xz', 'zstd']
      for (const name of [...packers, 'unpigz', 'tar']) {
        writeFileSync(join(busybox, 'bin', name), '#!/bin/sh\necho run >> /ran\n')
        chmodSync(join(busybox, 'bin', name), 0o755)
      }
      await using inner = new ContainerRoot(busybox)
      for (const name of packers) {
        const path = folder.file(`packed-${name}`)
        writeFileSync(path, tar(file(name, 'x'.repeat(10_000))))
        const { status } = await capture(name, ['-k', path])
        assert.equal(status, 0, name)
        const suffix = { gzip: 'gz', bzip2: 'bz2', xz: 'xz', zstd: 'zst' }[name]
        await inner.extract('/tmp', readFileSync(`${path}.${suffix}`))
        assert.equal(lstatSync(join(busybox, 'tmp', name)).size, 10_000)
      }
      assert.equal(existsSync(join(busybox, 'ran')), false)
      await run('chroot', [busybox, '/bin/xz'])
      assert.equal(existsSync(join(busybox, 'ran')), true)
    })
  })
})

/** What fails because names were exchanged is no success, and no escape either. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (cause) {
    assert.ok(cause instanceof TsbuildError, String(cause))
    const { code, message } = cause
    assert.ok(
      ['NOT_FOUND', 'IO_FAILED', 'LAYER_INVALID', 'USAGE'].includes(code),
      `${code} ${message}`,
    )
    return undefined
  }
}
