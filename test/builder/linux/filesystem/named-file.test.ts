import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import {
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { readNamedFile, readRegularFile } from '#builder/linux'

const refuse = (why: string, reason: string): Error => new Error(`${reason}: ${why}`)
const LIMIT = 1000

describe('files that a user names', () => {
  let folder: string
  const path = (name: string): string => join(folder, name)
  const read = (name: string, signal?: AbortSignal): Promise<Buffer> =>
    readNamedFile(path(name), { limit: LIMIT, refuse, signal })

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-named-'))
    execFileSync('mkfifo', [path('fifo')])
    writeFileSync(path('full'), 'x'.repeat(LIMIT))
    writeFileSync(path('large'), 'x'.repeat(LIMIT + 1))
    symlinkSync('full', path('link'))
    symlinkSync('/dev/zero', path('zero'))
  })
  after(() => rmSync(folder, { recursive: true }))
  afterEach(() => {
    // Whatever way a reading ends, nothing stays open.
    const open = readdirSync('/proc/self/fd').filter((fd) => isOpenAt(fd, folder))
    assert.deepEqual(open, [])
  })

  it('reads regular files, through links, and those without a size', async () => {
    assert.equal((await read('full')).length, LIMIT)
    assert.equal((await read('link')).length, LIMIT)
    const status = await readNamedFile('/proc/self/stat', { limit: LIMIT, refuse })
    assert.match(status.toString(), /^\d+ \(/)
  })

  it('refuses what is neither a file nor a pipe, and what is too long, at once', async () => {
    const server = createServer().listen(path('socket'))
    await new Promise((done) => server.once('listening', done))
    const table: readonly (readonly [string, string])[] = [
      ['.', 'kind: it is a folder'],
      ['zero', 'kind: it is a device'],
      ['/dev/zero', 'kind: it is a device'],
      ['/dev/tty', 'kind: it is a device'],
      ['socket', 'kind: it is a socket'],
      ['large', `size: it has more than ${LIMIT} bytes`],
    ]
    for (const [name, message] of table) {
      const named = name.startsWith('/') ? name : path(name)
      await assert.rejects(readNamedFile(named, { limit: LIMIT, refuse }), { message }, name)
      assert.throws(() => readRegularFile(named, { limit: LIMIT, refuse }), { message }, name)
    }
    const message = 'kind: it is a pipe'
    assert.throws(() => readRegularFile(path('fifo'), { limit: LIMIT, refuse }), { message })
    await assert.rejects(read('missing'), { code: 'ENOENT' })
    await new Promise((done) => server.close(done))
  })

  it('reads a pipe to its end, however late its writer comes', async () => {
    const reading = read('fifo')
    await setTimeout(50)
    const writer = createWriteStream(path('fifo'))
    writer.write('first ')
    await setTimeout(50)
    writer.end('last')
    assert.equal((await reading).toString(), 'first last')
  })

  it('reads what a process that has ended left in a pipe', async () => {
    const script = `exec ${process.execPath} --input-type=module -e "$1" <(echo late; echo news)`
    const program = `
      import { readNamedFile } from ${JSON.stringify(import.meta.resolve('#builder/linux'))}
      await new Promise((done) => setTimeout(done, 300))
      const bytes = await readNamedFile(process.argv[1], { limit: 99, refuse: (why) => Error(why) })
      process.stdout.write(bytes)`
    const output = execFileSync('bash', ['-c', script, 'bash', program], { encoding: 'utf8' })
    assert.equal(output, 'late\nnews\n')
  })

  it('stops at the limit of a pipe that never ends', async () => {
    const reading = read('fifo')
    const writer = createWriteStream(path('fifo'))
    writer.on('error', () => undefined)
    writer.write('x'.repeat(LIMIT + 1))
    await assert.rejects(reading, { message: `size: it has more than ${LIMIT} bytes` })
    // Not `once` of node:events, which takes the error of the broken pipe for its own.
    await new Promise<void>((resolve) => writer.once('close', () => resolve()).destroy())
  })

  it('stops when it is aborted', async () => {
    const stop = new AbortController()
    const waiting = read('fifo', stop.signal)
    await setTimeout(20)
    stop.abort()
    await assert.rejects(waiting, { code: 'CANCELLED' })
    await assert.rejects(read('fifo', stop.signal), { code: 'CANCELLED' })
  })

  it('is not held up by what is put in the place of a file', async function () {
    this.timeout(20_000)
    const swapper = `while :; do mkfifo f.new && mv f.new swapped; echo text > r.new && mv r.new swapped; done`
    writeFileSync(path('swapped'), 'text\n')
    const child = spawn('sh', ['-c', swapper], { cwd: folder, stdio: 'ignore' })
    const seen = new Set<string>()
    try {
      for (let round = 0; round < 2000; round++) {
        try {
          seen.add(readRegularFile(path('swapped'), { limit: LIMIT, refuse }).toString())
        } catch (cause) {
          seen.add(cause instanceof Error ? cause.message : 'nothing')
        }
      }
    } finally {
      child.kill('SIGKILL')
      await new Promise((done) => child.once('close', done))
    }
    assert.ok(seen.has('text\n') && seen.has('kind: it is a pipe'), [...seen].join())
    for (const one of seen) assert.match(one, /^(text\n|kind: it is a pipe|)$/)
  })
})

function isOpenAt(descriptor: string, folder: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder)
  } catch {
    return false
  }
}
