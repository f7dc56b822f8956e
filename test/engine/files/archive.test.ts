import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { makeNode } from '#builder/linux'
import type { Bytes } from '#core'
import { ContainerFiles } from '#engine/files'
import {
  capture,
  memoryDirectory,
  readTree,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { file, header } from '../../support/raw-tar/index.ts'
import { ContainerRoot, entriesOf } from './container-root.ts'

/** A name in a random tree: what is made there. */
interface Made {
  readonly path: readonly string[]
  readonly kind: 'directory' | 'file' | 'link' | 'hardlink' | 'fifo'
  readonly mode: number
  readonly uid: number
  readonly time: number
  readonly size: number
}

const NAME = fc.constantFrom('a', 'b', 'c', '.wh.a', 'ü', 'x'.repeat(120), '-f', 'a b', '\n')
const MADE: fc.Arbitrary<Made> = fc.record({
  path: fc.array(NAME, { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom('directory', 'file', 'link', 'hardlink', 'fifo'),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1, 1000, 3_000_000),
  time: fc.integer({ min: -1_000_000_000, max: 4_000_000_000 }),
  size: fc.constantFrom(0, 1, 511, 512, 513, 100_000),
})

describe('archives of a container', () => {
  let folder: TemporaryDirectory
  before(() => {
    folder = memoryDirectory('archives')
  })
  after(() => folder[Symbol.dispose]())

  let count = 0
  function fresh(): string {
    const path = folder.file(`tree-${count++}`)
    mkdirSync(path)
    return path
  }

  async function assertEqualTrees(one: string, other: string): Promise<void> {
    const [found, wanted] = await Promise.all([readTree(other), readTree(one)])
    assert.deepEqual([...found].filter(isBelow), [...wanted].filter(isBelow))
    for (const path of wanted.keys()) {
      if (path === '/') continue
      const [a, b] = [one, other].map((root) =>
        Math.floor(lstatSync(join(root, path)).mtimeMs / 1000),
      )
      assert.equal(b, a, path)
    }
  }

  it('make the same tree again', async () => {
    await using files = new ContainerFiles()
    await fc.assert(
      fc.asyncProperty(fc.array(MADE, { maxLength: 20 }), async (made) => {
        const [from, to] = [fresh(), fresh()]
        for (const one of made) make(from, one)
        await using source = new ContainerRoot(from, files)
        await using target = new ContainerRoot(to, files)
        await target.extract('/', await source.archive('/.'))
        await assertEqualTrees(from, to)
      }),
      { numRuns: 25 },
    )
  })

  it('are what GNU tar unpacks, and unpack what GNU tar makes', async () => {
    const [from, byTar, ours] = [fresh(), fresh(), fresh()]
    for (const one of fc.sample(MADE, { numRuns: 60, seed: 7 })) make(from, one)
    await using source = new ContainerRoot(from)
    const path = folder.file('source.tar')
    writeFileSync(path, await source.archive('/.'))
    await run('tar', ['--numeric-owner', '-xpf', path, '-C', byTar])
    await assertEqualTrees(from, byTar)
    await using target = new ContainerRoot(ours)
    for (const format of ['gnu', 'posix']) {
      await target.extract('/', await packed(format, from))
      await assertEqualTrees(from, ours)
    }
  })

  async function packed(format: string, from: string): Promise<Buffer> {
    const path = folder.file(`${format}.tar`)
    const flags = ['--sort=name', `--format=${format}`, '--numeric-owner']
    const { status, stderr } = await capture('tar', [...flags, '-cf', path, '-C', from, '.'])
    assert.equal(status, 0, stderr)
    return readFileSync(path)
  }

  it('have files of more than 8 GiB, of which holes take nothing', async () => {
    const disk = temporaryDirectory('large')
    try {
      const [from, to] = [disk.file('from'), disk.file('to')]
      for (const path of [from, to]) mkdirSync(path)
      writeFileSync(join(from, 'large'), 'begin')
      truncateSync(join(from, 'large'), 9 * 2 ** 30)
      appendFileSync(join(from, 'large'), 'end')
      await using source = new ContainerRoot(from)
      const head: Uint8Array[] = []
      for await (const chunk of source.files.archive(source.at('/large'))) {
        head.push(chunk)
        break
      }
      const listed = spawnTar(['-tvf', '-'], Buffer.concat(head))
      assert.match(await listed, /0\/0 +9663676419 .* large/)
      await using target = new ContainerRoot(to)
      const sparse = spawn('tar', ['-cSf', '-', '-C', from, 'large'])
      await target.extract('/', sparse.stdout)
      const found = lstatSync(join(to, 'large'))
      assert.equal(found.size, 9 * 2 ** 30 + 3)
      assert.ok(found.blocks < 100)
      assert.equal((await capture('tail', ['-c', '3', join(to, 'large')])).stdout, 'end')
    } finally {
      disk[Symbol.dispose]()
    }
  })

  it('take the same memory whatever their size is, also for a slow reader', async () => {
    const from = fresh()
    for (let index = 0; index < 16; index++) {
      writeFileSync(join(from, `${index}`), Buffer.alloc(16 << 20, index))
    }
    await using source = new ContainerRoot(from)
    await source.archive('/0')
    const { arrayBuffers } = process.memoryUsage()
    let most = 0
    let size = 0
    for await (const chunk of source.files.archive(source.at('/'))) {
      size += chunk.length
      most = Math.max(most, process.memoryUsage().arrayBuffers - arrayBuffers)
      await delay(1)
    }
    assert.ok(size > 256 << 20)
    assert.ok(most < 64 << 20, `${most}`)
  })

  it('cut a file that grows, and fail for one that shrinks', async () => {
    const from = fresh()
    const bytes = 8 << 20
    writeFileSync(join(from, 'log'), Buffer.alloc(bytes, 'x'))
    await using source = new ContainerRoot(from)
    const grown = await buffer(whileRead(source, () => appendFileSync(join(from, 'log'), 'more')))
    const [entry] = await entriesOf(Readable.from([grown]))
    assert.equal(entry?.size, bytes)
    assert.equal(grown.length, bytes + 512 + 1024)
    const shrinking = buffer(whileRead(source, () => truncateSync(join(from, 'log'), 100)))
    await assert.rejects(shrinking, { code: 'IO_FAILED', message: /shrank/ })
  })

  /** Does something once the first piece has come; then the thread has filled its ring, and waits. */
  async function* whileRead(source: ContainerRoot, work: () => void): AsyncGenerator<Uint8Array> {
    let isFirst = true
    for await (const chunk of source.files.archive(source.at('/log'))) {
      if (isFirst) work()
      isFirst = false
      yield chunk
    }
  }

  it('that break off in the middle are failures', async () => {
    const to = fresh()
    await using target = new ContainerRoot(to)
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield file('whole', 'x'.repeat(1 << 20))
      yield header({ name: 'half', size: 10_000 })
      throw new Error('the connection was reset')
    }
    await assert.rejects(target.extract('/', broken()), /the connection was reset/)
    assert.ok(lstatSync(join(to, 'whole')).isFile())
    const abort = new AbortController()
    const task = { ...target.at('/'), isReadonlyRoot: false }
    const endless = target.files.extract(task, endlessZeros(), { signal: abort.signal })
    setTimeout(() => abort.abort(), 100)
    await assert.rejects(endless, { code: 'CANCELLED' })
  })

  it('do not wait for each other, whatever their readers do', async () => {
    const from = fresh()
    writeFileSync(join(from, 'big'), Buffer.alloc(8 << 20))
    await using source = new ContainerRoot(from)
    const stalled = Array.from({ length: 8 }, () => {
      return source.files.archive(source.at('/big'))[Symbol.asyncIterator]()
    })
    await Promise.all(stalled.map((one) => one.next()))
    assert.equal((await source.files.stat(source.at('/big'))).size, 8 << 20)
    assert.ok((await source.archive('/big')).length > 8 << 20)
    await Promise.all(stalled.map((one) => one.return?.()))
  })
})

/** Endless content of one file. */
async function* endlessZeros(): Bytes {
  yield header({ name: 'endless', size: 8 * 2 ** 30 - 1 })
  for (;;) yield Buffer.alloc(1 << 20, 'x')
}

function isBelow([path]: readonly [string, unknown]): boolean {
  return path !== '/'
}

/** Makes one name, unless something else stands in its way. */
function make(root: string, { path, kind, mode, uid, time, size }: Made): void {
  const place = join(root, ...path)
  try {
    mkdirSync(dirname(place), { recursive: true })
    if (kind === 'directory') mkdirSync(place)
    else if (kind === 'file') writeFileSync(place, Buffer.alloc(size, path.join()), { flag: 'wx' })
    else if (kind === 'link') symlinkSync(`../${path[0]}`, place)
    else if (kind === 'hardlink') linkSync(join(root, path[0] ?? ''), place)
    else makeNode(place, 'fifo', { mode })
  } catch {
    return
  }
  lchownSync(place, uid, uid)
  if (kind !== 'link') chmodSync(place, mode)
  lutimesSync(place, ...([`${time}`, `${time}`] as const))
}

async function spawnTar(args: readonly string[], input: Buffer): Promise<string> {
  const child = spawn('tar', args)
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return (await buffer(child.stdout)).toString()
}
