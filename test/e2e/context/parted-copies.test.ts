/** Copies of which little changed, whose tars are large enough to be kept in parts. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import {
  capture,
  compareTrees,
  copyImage,
  flipBit,
  type Registry,
  readImage,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { EXECUTABLE } from '../support/installed.ts'
import { storeFaults } from '../support/store-check.ts'
import { HERE, mustBuild, stepsThat, tsbuild } from '../support/tsbuild.ts'

const FILES = 520
const LARGE = 9 << 20
/** What is younger is not remembered, because it could change once more without a trace. */
const RACY_MILLISECONDS = 2100
const LINES = {
  run: ['COPY tree /tree', 'RUN cat /tree/d1/f1 > /seen'],
  alone: ['COPY tree /tree'],
  shared: ['COPY tree /tree', 'RUN cat /tree/d1/f1 > /seen'],
}

type Kind = keyof typeof LINES

/** A build, and where it is done. */
interface Place {
  readonly context: string
  readonly root: string
}

describe('a large copy of which little changed', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let copies = 0
  /** Of the image in each copy of the shared store. */
  let sharedDigest: unknown

  before(async () => {
    directory = temporaryDirectory('parted-copies', 0o755)
    registry = await startBusyboxRegistry()
    await Promise.all((Object.keys(LINES) as Kind[]).map(writeFiles))
    await setTimeout(RACY_MILLISECONDS)
    const shared = placeOf('shared')
    await build(shared)
    writeFileSync(join(shared.context, 'tree/d1/f1'), 'changed')
    sharedDigest = (await build(shared)).digest
    assert.deepEqual([tarsIn(shared.root).length, partsIn(shared.root).length], [1, 1])
    assert.equal(sharedDigest, await digestAnew(shared))
  })

  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  async function writeFiles(kind: Kind): Promise<void> {
    const lines = [`FROM ${registry.host}/busybox:latest`, ...LINES[kind]]
    const { context } = placeOf(kind)
    writeContext(context, { Dockerfile: `${lines.join('\n')}\n` })
    for (let index = 0; index < FILES; index++) {
      const folder = join(context, `tree/d${index % 7}`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `f${index}`), `${index}\n`.repeat(index % 30))
    }
    // No part of it is like another one.
    const large = Buffer.alloc(LARGE)
    for (let at = 0; at < LARGE; at += 4) large.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at)
    writeFileSync(join(context, 'tree/large'), large)
  }

  function placeOf(kind: Kind): Place {
    return { context: directory.file(kind), root: directory.file(`${kind}-store`) }
  }

  /** The shared context, in which one file was changed, and a copy of its store, with an image `many`. */
  async function changed(): Promise<Place> {
    const { context, root } = placeOf('shared')
    const copy = directory.file(`copy${copies++}`)
    await run('cp', ['-a', root, copy])
    return { context, root: copy }
  }

  /** @returns the digest of the manifest, and how many steps were executed */
  async function build({ context, root }: Place, ...args: string[]) {
    const file = directory.file('metadata.json')
    const words = ['--reproducible', '--metadata-file', file, '-t', 'many', ...args, context]
    const outcome = await mustBuild(words, { root })
    const metadata = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    return { digest: metadata['containerimage.digest'], done: stepsThat('DONE', outcome).length }
  }

  async function digestAnew({ context }: Place): Promise<unknown> {
    const root = directory.file('anew')
    const { digest } = await build({ context, root })
    rmSync(root, { recursive: true })
    return digest
  }

  const partsIn = (root: string): readonly string[] => {
    const parts = join(root, 'parts')
    return existsSync(parts) ? readdirSync(parts) : []
  }
  /** Blobs that are large. */
  const tarsIn = (root: string): readonly string[] => {
    const blobs = join(root, 'blobs/sha256')
    return readdirSync(blobs).filter((name) => statSync(join(blobs, name)).size > LARGE)
  }

  it('is kept in parts of one tar, edit after edit, under a RUN', async () => {
    const place = placeOf('run')
    const { context, root } = place
    await build(place)
    const [tar] = tarsIn(root)
    const edits: readonly ((tree: string) => void)[] = [
      (tree) => rmSync(join(tree, 'd3/f3')),
      (tree) => writeFileSync(join(tree, 'd4/middle'), Buffer.alloc(1 << 20, 'x')),
    ]
    for (const [index, edit] of edits.entries()) {
      edit(join(context, 'tree'))
      assert.equal((await build(place)).done, 2)
      assert.deepEqual([tarsIn(root), partsIn(root).length], [[tar], index + 1])
    }
    const { digest, done } = await build(place)
    assert.deepEqual([digest, done], [await digestAnew(place), 0])
    const sizes = partsIn(root).map((name) => statSync(join(root, 'parts', name)).size)
    assert.ok(Math.max(...sizes) < 1.2 * 2 ** 20, sizes.join())
    assert.deepEqual(storeFaults(root), [])
    await mustBuild(['store', 'verify'], { root })
  })

  it('is kept so without one, until most of it changed, and later ones are made of that', async () => {
    const place = placeOf('alone')
    const { context, root } = place
    await build(place)
    const tree = join(context, 'tree')
    writeFileSync(join(tree, 'd1/f1'), 'one')
    await build(place)
    assert.deepEqual([tarsIn(root).length, partsIn(root).length], [1, 1])
    writeFileSync(join(tree, 'large'), Buffer.alloc(LARGE, 'another one'))
    await setTimeout(RACY_MILLISECONDS)
    await build(place)
    assert.deepEqual([tarsIn(root).length, partsIn(root).length], [2, 1])
    writeFileSync(join(tree, 'd1/f1'), 'two')
    const { digest } = await build(place)
    assert.equal(digest, await digestAnew(place))
    assert.deepEqual([tarsIn(root).length, partsIn(root).length], [2, 2])
    assert.deepEqual(storeFaults(root), [])
  })

  it('goes through registries, archives and other tools as other layers do', async () => {
    const place = await changed()
    const { context, root } = place
    const name = `${registry.host}/parted:1`
    const archive = directory.file('archive.tar')
    await build(place, '-o', `type=oci,dest=${archive}`)
    await mustBuild(['tag', 'many', name], { root })
    await mustBuild(['push', name], { root })
    const saved = directory.file('saved.tar')
    await mustBuild(['save', '-o', saved, 'many'], { root })
    const read = [`docker://${name}`, `oci-archive:${saved}`, `oci-archive:${archive}`]
    const [pushed, ...others] = await Promise.all(
      read.map((reference, at) => readImage(reference, directory.path, `image${at}`)),
    )
    assert.ok(pushed)
    for (const { tree } of others) assert.deepEqual(compareTrees(tree, pushed.tree), [])
    const [layout, bundle] = [directory.file('layout'), directory.file('bundle')]
    await copyImage(`docker://${name}`, `oci:${layout}:x`)
    await run('umoci', ['unpack', '--image', `${layout}:x`, bundle])
    await run('diff', ['-r', join(context, 'tree'), join(bundle, 'rootfs/tree')])
    assert.equal(readFileSync(join(bundle, 'rootfs/seen'), 'utf8'), 'changed')
    const loaded = directory.file('loaded')
    await mustBuild(['load', '-i', saved], { root: loaded })
    assert.deepEqual(storeFaults(loaded), [])
    assert.equal(partsIn(root).length, 1, 'nothing of this needs one file')
  })

  it('becomes one file where a directory is made of it, for good', async () => {
    const { context, root } = await changed()
    const layers = join(root, 'layers')
    for (const name of readdirSync(layers).filter((one) => one.startsWith('x'))) {
      rmSync(join(layers, name), { recursive: true })
    }
    const file = directory.file('Dockerfile')
    writeFileSync(file, readFileSync(join(context, 'Dockerfile')))
    appendFileSync(file, 'RUN cat /tree/d1/f1 > /again\n')
    const { done } = await build({ context, root }, '-f', file)
    assert.equal(done, 1)
    assert.deepEqual([tarsIn(root).length, partsIn(root)], [2, []])
    assert.deepEqual(storeFaults(root), [])
  })

  it('keeps the tar that it has parts of as long as it is there', async () => {
    const { root } = await changed()
    await mustBuild(['prune', '--all', '--force'], { root })
    assert.deepEqual([tarsIn(root).length, partsIn(root).length], [1, 1])
    assert.deepEqual(storeFaults(root), [])
    await mustBuild(['rmi', 'many'], { root })
    await mustBuild(['prune', '--all', '--force'], { root })
    assert.deepEqual([tarsIn(root), partsIn(root)], [[], []])
  })

  function damageTar(root: string): string {
    const [tar = ''] = tarsIn(root)
    flipBit(join(root, 'blobs/sha256', tar), LARGE >> 1)
    return tar
  }

  it('is healed from its folders when the tar that it has parts of is damaged', async () => {
    const place = await changed()
    const { root } = place
    const damaged = [damageTar(root), ...partsIn(root)]
    const verified = await tsbuild(['store', 'verify'], { root })
    assert.equal(verified.status, 1)
    for (const name of damaged) assert.match(verified.stdout, new RegExp(name))
    await mustBuild(['store', 'verify', '--repair'], { root })
    assert.deepEqual(storeFaults(root), [])
    const again = await build(place)
    assert.deepEqual([again.digest, again.done], [sharedDigest, 0])
  })

  it('is never sent when the tar that it has parts of is damaged, and is made anew', async () => {
    const place = await changed()
    const { root } = place
    damageTar(root)
    const saved = directory.file('damaged.tar')
    const failed = await tsbuild(['save', '-o', saved, 'many'], { root })
    assert.equal(failed.status, 1)
    assert.match(failed.stderr, /\(DIGEST_MISMATCH\)$/m)
    assert.equal(existsSync(saved), false)
    assert.equal((await build(place)).digest, sharedDigest)
    await mustBuild(['save', '-o', saved, 'many'], { root })
    assert.deepEqual(storeFaults(root), [])
  })

  it('writes next to nothing, also where the disk has no room for its tar', async function () {
    if (EXECUTABLE !== undefined || process.geteuid?.() !== 0) this.skip()
    const { context, root } = await changed()
    writeFileSync(join(context, 'tree/d1/f1'), 'changed again')
    mkdirSync(directory.file('mnt'))
    const store = directory.file('mnt/store')
    const trace = directory.file('writes')
    const script = `
      mount -t tmpfs -o size=60m none "$1/mnt" && cp -a "$2" "$1/mnt/store" || exit 90
      free=$(df -k --output=avail "$1/mnt" | tail -n 1)
      head -c $(((free - $3) * 1024)) /dev/zero > "$1/mnt/filler"
      shift 3
      exec "$@"`
    const calls = 'trace=write,pwrite64,writev,pwritev,copy_file_range'
    const strace = ['strace', '-f', '-qq', '-y', '--seccomp-bpf', '-e', calls, '-o', trace]
    const words = ['--progress', 'plain', '--reproducible', '-t', 'many', '--root', store, context]
    const buildWith = async (kilobytes: number) => {
      const args = ['-m', 'sh', '-c', script, 'sh', directory.path, root, `${kilobytes}`]
      const command = [...args, ...strace, ...HERE.command, ...words]
      return await capture('unshare', command, { env: { HOME: directory.path } })
    }
    const full = await buildWith(50)
    assert.equal(full.status, 1)
    assert.match(full.stderr, /\(NO_SPACE\)$/m)
    const { status, stderr } = await buildWith(3000)
    assert.equal(status, 0, stderr)
    const lines = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`<${store}/`))
    const written = lines.reduce((sum, line) => sum + Number(/= (\d+)$/.exec(line)?.[1] ?? 0), 0)
    assert.ok(written > 0 && written < 1e6, `${written} bytes`)
  })
})
