import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { applyLayer, extractArchive, stackTree } from '#builder/layer'
import { getXattr } from '#builder/linux'
import { type Name, TsbuildError } from '#core'
import type { ApplyOptions } from '../../../../builder/layer/apply/apply.ts'
import {
  directory,
  END,
  file,
  gnuLong,
  hardlink,
  header,
  pax,
  symlink,
  tar,
} from '../../../support/raw-tar/index.ts'
import { chunked, fingerprint, isRoot, reused, temporary } from '../support/files.ts'
import { listing, outline } from '../support/listing.ts'

/** `cap_net_raw=ep`, version 2. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex')

describe('applying a layer', () => {
  const files = temporary()

  async function apply(layer: Buffer, options: ApplyOptions = { lowers: [] }) {
    const path = files.fresh()
    return { path, ...(await applyLayer(reused(layer), path, options)) }
  }

  async function stack(...layers: readonly Buffer[]): Promise<string[]> {
    const lowers: string[] = []
    for (const layer of layers) lowers.unshift((await apply(layer, { lowers: [...lowers] })).path)
    return lowers
  }

  async function merged(...layers: readonly Buffer[]): Promise<string[]> {
    const tree = stackTree(await stack(...layers))
    const lines = outline(tree)
    tree.close()
    return lines
  }

  it('keeps modes, owners, times, links, devices and capabilities', async function () {
    if (!isRoot) this.skip()
    const { path } = await apply(
      tar(
        directory('d/', { mode: 0o3770, uid: 1, gid: 2, mtime: 1000 }),
        file('d/su', 'x', { mode: 0o4755, uid: 3, gid: 4, mtime: 2000 }),
        hardlink('d/su2', 'd/su'),
        pax({ 'SCHILY.xattr.security.capability': CAPABILITY.toString('latin1') }),
        file('ping', 'y', { mode: 0o755, uid: 5, gid: 6, mtime: 3000 }),
        header({ name: 'fifo', type: '6', mode: 0o600, mtime: 4000 }),
        header({ name: 'loop', type: '4', mode: 0o6660, uid: 7, gid: 8, major: 7, minor: 3 }),
        header({ name: 'null', type: '3', mode: 0o666, major: 1, minor: 3 }),
        symlink('l', 'd/su'),
        pax({ uid: '4294967294', gid: '3000000', mtime: '1700000000.25' }),
        file('far', 'z'),
      ),
    )
    const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)
    assert.deepEqual(listing(path, { directoryTimes: true }), [
      '"d" 43770 1:2 @1000',
      `"d/su" 104755 3:4 @2000 1 ${digest('x')}`,
      '"d/su2" = "d/su"',
      `"far" 100644 4294967294:3000000 @1700000000 1 ${digest('z')}`,
      '"fifo" 10600 0:0 @4000',
      '"l" 120777 0:0 @0 -> "d/su"',
      '"loop" 66660 7:8 @0 7:3',
      '"null" 20666 0:0 @0 1:3',
      `"ping" 100755 5:6 @3000 1 ${digest('y')} security.capability=${CAPABILITY.toString('hex')}`,
    ])
    assert.equal(lstatSync(join(path, 'far')).mtimeMs, 1700000000250)
  })

  it('digests every byte, also those after the end', async () => {
    const layer = Buffer.concat([tar(file('a', '1')), Buffer.from('something else')])
    const { diffId, size } = await apply(layer)
    const digest = createHash('sha256').update(layer).digest('hex')
    assert.deepEqual({ diffId, size }, { diffId: `sha256:${digest}`, size: layer.length })
  })

  it('keeps names that are not UTF-8, from every kind of header', async () => {
    const odd = '\xff\xfea\n\x1b]0;'
    const { path } = await apply(
      tar(
        file(`h${odd}`, '1'),
        pax({ path: `p${odd}` }),
        file('x', '2'),
        gnuLong('L', `g${odd}`),
        file('x', '3'),
        pax({ linkpath: odd }),
        symlink('l', 'x'),
      ),
    )
    assert.deepEqual(readdirSync(path, 'latin1').sort(), [`g${odd}`, `h${odd}`, 'l', `p${odd}`])
    const tree = stackTree([path])
    assert.equal(tree.readlink('l' as Name), odd)
    tree.close()
  })

  it('keeps user attributes and drops those that steer overlayfs', async function () {
    const { path } = await apply(
      tar(
        pax({ 'SCHILY.xattr.user.note': 'hi', 'SCHILY.xattr.user.overlay.opaque': 'y' }),
        directory('d/'),
      ),
    )
    if (getXattr(join(path, 'd'), 'user.note') === undefined) this.skip()
    assert.equal(getXattr(join(path, 'd'), 'user.note')?.toString(), 'hi')
    assert.equal(getXattr(join(path, 'd'), 'user.overlay.opaque'), undefined)
  })

  describe('whiteouts', () => {
    const base = tar(
      directory('d/'),
      directory('d/sub/'),
      file('d/sub/f', '0'),
      file('d/x', '0'),
      file('a', '0'),
    )

    it('delete in every order, and only what is below', async () => {
      const parts = [
        directory('d/'),
        file('d/.wh..wh..opq'),
        file('d/x', '1'),
        file('d/.wh.x'),
        file('.wh.a'),
        file('a', '1'),
      ]
      for (const order of permutations(parts)) {
        assert.deepEqual(await merged(base, tar(...order)), ['a=1', 'd/', 'd/x=1'])
      }
    })

    it('of a directory that comes again leave nothing of the old one', async () => {
      const parts = [file('.wh.d'), directory('d/'), file('d/new', '1')]
      for (const order of permutations(parts)) {
        assert.deepEqual(await merged(base, tar(...order)), ['a=0', 'd/', 'd/new=1'])
      }
    })

    it('of the whole root', async () => {
      assert.deepEqual(await merged(base, tar(file('.wh..wh..opq'), file('b', '1'))), ['b=1'])
    })

    it('of what is not there do no harm', async () => {
      assert.deepEqual(await merged(base, tar(file('.wh.nothing'), file('no/.wh.thing'))), [
        'a=0',
        'd/',
        'd/sub/',
        'd/sub/f=0',
        'd/x=0',
        'no/',
      ])
    })
  })

  describe('beside the layers below', () => {
    const base = tar(
      directory('tmp/', { mode: 0o1777, mtime: 77 }),
      directory('usr/', { mode: 0o711, mtime: 78 }),
      file('usr/f', 'F', { mode: 0o4711, mtime: 79 }),
    )

    it('gives parents that the layer does not name the attributes they have', async () => {
      const [lower = ''] = await stack(base)
      const upper = await apply(tar(file('tmp/a', '1'), file('new/b', '2')), { lowers: [lower] })
      assert.equal(upper.dependsOnLowers, true)
      const [tmp, fresh] = ['tmp', 'new'].map((name) => lstatSync(join(upper.path, name)))
      assert.deepEqual([tmp?.mode, tmp?.mtimeMs, fresh?.mode], [0o41777, 77_000, 0o40755])
    })

    it('hides a link of theirs by a folder, which has the attributes of what it leads to', async () => {
      const lowers = await stack(base, tar(symlink('lib', 'usr'), symlink('none', 'nowhere')))
      const layer = tar(file('lib/x', '1'), file('none/x', '1'), hardlink('h', 'lib/x'))
      const { path } = await apply(layer, { lowers })
      const [lib, none] = ['lib', 'none'].map((name) => lstatSync(join(path, name)))
      assert.deepEqual([lib?.mode, lib?.mtimeMs, none?.mode], [0o40711, 78_000, 0o40755])
      assert.deepEqual(readdirSync(path).sort(), ['h', 'lib', 'none'])
    })

    it('finds a file that is hard linked through a link of theirs', async () => {
      const lowers = await stack(base, tar(symlink('lib', 'usr')))
      const { path } = await apply(tar(hardlink('h', 'lib/f')), { lowers })
      assert.deepEqual(readdirSync(path).sort(), ['h', 'usr'])
    })

    it('reports it when the layer stands on its own', async () => {
      const { dependsOnLowers } = await apply(
        tar(directory('usr/'), file('usr/a', '1'), file('.wh.b')),
        {},
      )
      assert.equal(dependsOnLowers, false)
    })

    it('reports it when they are needed and not at hand', async () => {
      for (const layer of [
        tar(hardlink('h', 'usr/f')),
        tar(file('usr/g', '1')),
        tar(file('.wh..wh..opq')),
      ]) {
        assert.equal((await apply(layer, {})).dependsOnLowers, true)
      }
    })

    it('makes a hard link to one of their files by copying it up', async () => {
      const [lower = ''] = await stack(base)
      const { path } = await apply(tar(hardlink('h', 'usr/f')), { lowers: [lower] })
      const [first, second] = ['h', 'usr/f'].map((name) => lstatSync(join(path, name)))
      assert.equal(first?.ino, second?.ino)
      assert.deepEqual([first?.mode, first?.mtimeMs], [0o104711, 79_000])
      assert.equal(lstatSync(join(path, 'usr')).mode, 0o40711)
      assert.equal(lstatSync(join(lower, 'usr/f')).nlink, 1)
    })
  })

  it('extracts an archive with whiteout names as plain files', async () => {
    const path = files.fresh()
    await extractArchive(
      chunked(tar(file('.wh.a', '1'), file('.wh..wh..opq', '2'), file('.wh.', '3'))),
      path,
    )
    assert.deepEqual(readdirSync(path).sort(), ['.wh.', '.wh..wh..opq', '.wh.a'])
    await assert.rejects(extractArchive(chunked(tar(file('../x', '1'))), files.fresh()), {
      code: 'LAYER_INVALID',
    })
  })

  it("makes everything the current user's with owners: drop", async () => {
    const path = files.fresh()
    await applyLayer(chunked(tar(file('a', '1', { uid: 5, gid: 6, mode: 0o4755 }))), path, {
      owners: 'drop',
    })
    const { uid, mode } = lstatSync(join(path, 'a'))
    assert.deepEqual([uid, mode], [process.getuid?.(), 0o104755])
  })

  it('names the entry and keeps the cause in errors', async () => {
    await assert.rejects(
      apply(
        tar(
          file(`dir/${'n'.repeat(90)}${'x'.repeat(0)}`, '1'),
          gnuLong('L', 'l'.repeat(300)),
          file('x'),
        ),
      ),
      (error) => {
        assert(error instanceof TsbuildError)
        assert.match(error.message, /^write "\/l{300}": .*ENAMETOOLONG/)
        return true
      },
    )
  })

  it('stops when its signal is aborted', async () => {
    const abort = new AbortController()
    async function* endless() {
      yield header({ name: 'a', raw: { 124: '77777777777\0' } })
      for (;;) {
        yield Buffer.alloc(512)
        abort.abort()
      }
    }
    await assert.rejects(extractArchive(endless(), files.fresh(), { signal: abort.signal }), {
      code: 'CANCELLED',
    })
  })

  it('passes failures of the source on', async () => {
    async function* broken() {
      yield END
      throw new TsbuildError('x', { code: 'DIGEST_MISMATCH' })
    }
    await assert.rejects(applyLayer(broken(), files.fresh()), { code: 'DIGEST_MISMATCH' })
  })

  describe('under load', () => {
    it('takes 20,000 long names in a row, and as many global headers', async () => {
      const names = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => gnuLong('L', `n${i}`)))
      const globals = Buffer.concat(
        Array.from({ length: 20_000 }, () => pax({ comment: 'x' }, 'g')),
      )
      const { path } = await apply(tar(names, globals, file('x', '1')))
      assert.deepEqual(readdirSync(path), ['n19999'])
    })

    it('takes a gigabyte of padding without keeping it', async () => {
      const zeros = Buffer.alloc(1 << 20)
      async function* layer() {
        yield tar(file('a', '1'))
        for (let i = 0; i < 1024; i++) yield zeros
      }
      const before = process.memoryUsage().rss
      const { size } = await applyLayer(layer(), files.fresh())
      assert.equal(size, (1 << 30) + 2048)
      assert(process.memoryUsage().rss - before < 100 << 20)
    })

    it('reaches deeper than any path of the kernel', async () => {
      const depth = 1500
      const path = Array.from({ length: depth }, () => 'deep').join('/')
      const target = files.fresh()
      await applyLayer(chunked(tar(gnuLong('L', `${path}/f`), file('x', '1'))), target)
      const tree = stackTree([target])
      assert.equal(tree.lstat(`${path}/f` as Name)?.size, 1)
      tree.close()
      // `rmSync` cannot remove what it cannot name: replace the top by a file.
      const again = chunked(tar(gnuLong('L', `${path}/f`), file('x', '1'), file('deep', '2')))
      const second = files.fresh()
      await applyLayer(again, second)
      assert.equal(readFileSync(join(second, 'deep'), 'latin1'), '2')
      await removeDeep(target)
    })

    it('opens no fifo and leaves no descriptor behind', async () => {
      const fifos = Array.from({ length: 8 }, (_, i) =>
        header({ name: `p${i}`, type: '6', mode: 0o600 }),
      )
      const before = readdirSync('/proc/self/fd').length
      const { path } = await apply(tar(...fifos, ...fifos, directory('d/'), file('d/x', '1')))
      const tree = stackTree([path])
      assert.throws(() => tree.openFile('p0' as Name))
      tree.close()
      await assert.rejects(apply(tar(file('a', 'x'.repeat(100))).subarray(0, 600)))
      assert.equal(readdirSync('/proc/self/fd').length, before)
    })
  })

  it('never leaves its directory while another process swaps directories for links', async function () {
    const [target, outside] = [files.fresh(), files.fresh()]
    for (const path of [target, outside]) mkdirSync(path)
    writeFileSync(join(outside, 'f'), 'OUT')
    mkdirSync(join(target, 'd'))
    symlinkSync(outside, join(target, 'link'))
    const untouched = fingerprint(outside)
    const script = `import ctypes, sys
libc = ctypes.CDLL(None)
print(flush=True)
while libc.renameat2(-100, b'd', -100, b'link', 2) <= 0: pass`
    const swapper = spawn('python3', ['-c', script], {
      cwd: target,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      await Promise.race([
        once(swapper.stdout, 'data'),
        once(swapper, 'error').then(() => this.skip()),
      ])
      const parts = Array.from({ length: 40 }, (_, i) => [
        directory('d/'),
        file(`d/f${i % 3}`, 'IN'),
        hardlink('d/h', `d/f${i % 3}`),
        file('d/.wh.f'),
      ])
      const layer = tar(...parts.flat())
      for (let i = 0; i < 25; i++) {
        // Some attempts fail because the directory is a link just then.
        await applyLayer(chunked(layer), target, { lowers: [] }).catch(() => {})
      }
    } finally {
      swapper.kill('SIGKILL')
      await once(swapper, 'close')
    }
    assert.equal(fingerprint(outside), untouched)
  })
})

function permutations<T>(of: readonly T[]): T[][] {
  if (of.length === 0) return [[]]
  return of.flatMap((first, i) => permutations(of.toSpliced(i, 1)).map((rest) => [first, ...rest]))
}

/** Takes a deep tree apart from the top: moves the next level up, then removes the empty one. */
async function removeDeep(top: string): Promise<void> {
  const removed = spawn('rm', ['-rf', top], { stdio: 'ignore' })
  await once(removed, 'close')
}
