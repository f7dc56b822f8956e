import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  memoryDirectory,
  readTree,
  run,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'
import { recordOf, VolumeLab } from '../support/volume-lab.ts'

const PROGRAM = fileURLToPath(new URL('../support/filling.js', import.meta.url))

/** Enough to be killed among. */
const FILES = 1_500

/** What a volume is to have: owners, modes, links, attributes, holes, odd names. */
const IMAGE = `
mkdir -p files/deep/er files/empty link-target bin
cp /bin/busybox bin/busybox
echo one > files/one; chmod 4755 files/one; chown 1000:1001 files/one
chown 7:8 files; chmod 1771 files
echo two > files/deep/two; chmod 0600 files/deep/two; chown 33:33 files/deep/two files/deep
ln files/deep/two files/deep/er/again
ln files/one files/one-too
ln -s ../nowhere files/dangling; ln -s one files/deep/link; chown -h 5:6 files/dangling
setfattr -n user.note -v text files/one
setfattr -n user.folder -v yes files/deep
setcap cap_net_raw+ep files/deep/two
mkfifo -m 640 files/fifo
truncate -s 40M files/sparse; printf x | dd of=files/sparse bs=1 seek=20000000 conv=notrunc status=none
printf 'odd' > "files/$(printf 'new\\nline \\303\\251')"
touch -d '2001-02-03 04:05:06.789' files/one files/deep/two files/empty
ln -s files linked
`

/** Files in a folder; fewer than none where it is not there. */
function countIn(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).length : -1
}

describe('filling volumes from images', () => {
  let top: TemporaryDirectory
  let image = ''
  before(async () => {
    top = temporaryDirectory('fill', 0o755)
    image = top.file('image')
    mkdirSync(image)
    await run('sh', ['-ec', IMAGE], { cwd: image })
  })
  after(() => top[Symbol.dispose]())

  it('gives them what dockerd gives them', async () => {
    await using lab = new VolumeLab({ folder: temporaryDirectory('volumes', 0o755) })
    await using dockerd = await startDockerd()
    const archive = top.file('image.tar')
    const xattrs = ['--xattrs', '--xattrs-include=*']
    await run('tar', ['-C', image, '--numeric-owner', '--sparse', ...xattrs, '-cf', archive, '.'])
    await dockerd.docker(['import', archive, 'filled'])
    const place = ['--network', 'none', '--volume', 'theirs:/files']
    await dockerd.docker(['create', ...place, 'filled', '/bin/busybox', 'true'])
    const { stdout } = await dockerd.docker([
      'volume',
      'inspect',
      '-f',
      '{{.Mountpoint}}',
      'theirs',
    ])
    const theirs = stdout.trim()
    await lab.container(recordOf('one', { Binds: ['ours:/files'] }), [image])
    const ours = lab.volumes.folders.data('ours')
    const tree = await readTree(ours)
    assert.ok(tree.size > 10)
    assert.deepEqual(tree, await readTree(`${image}/files`))
    assert.match(tree.get('/deep/two')?.xattrs ?? '', /security.capability=/)
    // Docker's copy has no capabilities.
    const plain = [...tree].map(([path, { xattrs = '', ...entry }]) => {
      const others = xattrs.replace(/ ?security.capability=\S*/, '')
      return [path, others === '' ? entry : { ...entry, xattrs: others }] as const
    })
    assert.deepEqual(new Map(plain), await readTree(theirs))
    for (const name of ['one', 'deep/two', 'empty', 'deep/link']) {
      assert.equal(lstatSync(`${ours}/${name}`).mtimeMs, lstatSync(`${theirs}/${name}`).mtimeMs)
    }
    // As good as empty on the disk, where the image has holes.
    assert.equal(statSync(`${ours}/sparse`).size, 40 * 2 ** 20)
    assert.ok(statSync(`${ours}/sparse`).blocks * 512 < 2 ** 20)
    assert.deepEqual(readdirSync(`${ours}/..`), ['_data'])
  })

  it('follows links of the image, and takes the topmost of its layers', async () => {
    await using lab = new VolumeLab()
    const upper = top.file('upper')
    mkdirSync(`${upper}/files`, { recursive: true })
    writeFileSync(`${upper}/files/one`, 'other')
    await run('mknod', [`${upper}/files/one-too`, 'c', '0', '0'])
    await lab.container(recordOf('one', { Binds: ['v1:/linked/deep/../'] }), [upper, image])
    const files = lab.volumes.folders.data('v1')
    const tree = await readTree(files)
    const upperTree = await readTree(`${upper}/files`)
    assert.equal(tree.get('/one')?.content, upperTree.get('/one')?.content)
    assert.equal(tree.has('/one-too'), false)
    assert.equal(tree.has('/deep/two'), true)
  })

  it('leaves alone what is not empty, not wanted, or not in the image', async () => {
    await using lab = new VolumeLab()
    lab.volumes.create({ name: 'used' })
    const files = lab.volumes.folders.data('used')
    writeFileSync(`${files}/mine`, '')
    const asked = { Binds: ['used:/files', 'bare:/files/deep:nocopy', 'none:/nowhere'] }
    await lab.container(recordOf('one', asked), [image])
    assert.deepEqual(readdirSync(files), ['mine'])
    for (const name of ['bare', 'none']) {
      assert.deepEqual(readdirSync(lab.volumes.folders.data(name)), [])
    }
  })

  it('is done in place where a container sees the volume', async () => {
    await using lab = new VolumeLab()
    const one = await lab.container(recordOf('one', { Binds: ['shared:/elsewhere'] }), [image])
    using _ = await lab.mounts.open(one, () => Promise.reject(new Error('no image')))
    const { ino } = statSync(lab.volumes.folders.data('shared'))
    await lab.container(recordOf('two', { Binds: ['shared:/files'] }), [image])
    const files = lab.volumes.folders.data('shared')
    assert.equal(statSync(files).ino, ino)
    const names = (tree: ReadonlyMap<string, unknown>): readonly string[] => [...tree.keys()]
    assert.deepEqual(names(await readTree(files)), names(await readTree(`${image}/files`)))
  })

  it('begins anew where an engine was killed meanwhile', async () => {
    using memory = memoryDirectory('fill')
    const big = memory.file('big')
    mkdirSync(`${big}/files`, { recursive: true })
    for (let number = 0; number < FILES; number++) {
      writeFileSync(`${big}/files/${number}`, Buffer.alloc(4_000, number % 256))
    }
    let cut = 0
    for (let round = 0; round < 4; round++) {
      await using lab = new VolumeLab()
      const { folders } = lab.volumes
      const words = [PROGRAM, folders.root, big]
      const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      // No timer: it takes few milliseconds.
      const least = (round * FILES) / 5
      const scratch = folders.scratch('big')
      while (countIn(scratch) <= least && child.exitCode === null) await setImmediate()
      child.kill('SIGKILL')
      await once(child, 'close')
      const left = readdirSync(folders.data('big')).length
      assert.ok(left === 0 || left === FILES, `${left} files`)
      if (readdirSync(`${folders.root}/big`).length > 1) cut++
      await lab.volumes.restore()
      await lab.container(recordOf('one', { Binds: ['big:/files'] }), [big])
      const files = readdirSync(folders.data('big'))
      assert.equal(files.length, FILES)
      for (const name of files) {
        assert.equal(statSync(`${folders.data('big')}/${name}`).size, 4_000)
      }
      assert.deepEqual(readdirSync(`${folders.root}/big`), ['_data'])
    }
    assert.ok(cut > 0, 'no engine was killed while it filled a volume')
  })
})
