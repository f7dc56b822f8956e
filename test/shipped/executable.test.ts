import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { makeExecutable } from '../../shipped/executable/make-executable.ts'
import { REPOSITORY } from '../../shipped/image/published.ts'
import {
  capture,
  type Outcome,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'
import { BareRoot } from './bare-root.ts'

/** So many files that a thread copies them. */
const MANY = 600

const COMMENTS = '# comment\n'.repeat(50_000)

/** What files of compiled code begin with, and where in the head of such a file its length is. */
const MAGIC = Buffer.from('020d5c7b', 'hex')
const HEAD_BYTES = 16
const LENGTHS = [4, 8] as const
/** A file has all of it twice. */
const COPIES = 2

describe('the executable', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let executable: string
  before(async () => {
    directory = temporaryDirectory('exe', 0o755)
    executable = directory.file('tsbuild')
    await makeExecutable(executable)
  })
  after(() => directory[Symbol.dispose]())

  describe('on a machine without Node', () => {
    let root: BareRoot
    before(async function () {
      if (process.geteuid?.() !== 0) this.skip()
      const programs = { '/tsbuild': executable, '/busybox': '/bin/busybox' }
      root = await BareRoot.make(directory.file('root'), {
        ...programs,
        '/setpriv': '/usr/bin/setpriv',
      })
      const context = join(root.path, 'context')
      mkdirSync(join(context, 'many'), { recursive: true })
      for (let index = 0; index < MANY; index++) writeFileSync(join(context, `many/${index}`), '')
      copyFileSync(join(REPOSITORY, 'fixtures/hello/hello'), join(context, 'hello'))
      writeFileSync(
        join(context, 'Dockerfile'),
        'FROM scratch\nCOPY many /many\nCOPY hello /\nRUN ["/hello", "/made"]\n',
      )
    })

    const USER = ['/setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', '--']
    for (const [who, words] of [
      ['root', []],
      ['an ordinary user', USER],
    ] as const) {
      it(`builds for ${who}, with threads and steps`, async () => {
        const home = `/home/${words.length}`
        const build = async (): Promise<Outcome> => {
          const args = ['/tsbuild', '-o', `${home}/out`, '/context']
          const [command = '', ...rest] = [...root.prefix, ...words, ...args]
          const env = { HOME: home, TSBUILD_ROOT: `${home}/store`, BUILDKIT_PROGRESS: 'plain' }
          return await capture(command, rest, { env })
        }
        mkdirSync(join(root.path, home))
        if (words.length > 0) chownSync(join(root.path, home), 1000, 1000)
        const built = await build()
        assert.equal(built.status, 0, built.stderr)
        const out = join(root.path, home, 'out')
        assert.deepEqual(readdirSync(out).toSorted(), ['hello', 'made', 'many'])
        assert.equal(readdirSync(join(out, 'many')).length, MANY)
        assert.match((await build()).stderr, /^steps +3, all cached/m)
      })
    }
  })

  describe('whose compiled code', () => {
    let bytes: Buffer
    before(() => {
      bytes = readFileSync(executable)
      mkdirSync(directory.file('home'))
    })

    /** Parses a Dockerfile. @returns what it prints, and what code it keeps */
    async function parse(
      program: string,
      home: string,
      env: Readonly<Record<string, string>> = {},
    ): Promise<readonly [Outcome, string[]]> {
      mkdirSync(home)
      const args = ['parse', join(REPOSITORY, 'fixtures/hello/Dockerfile')]
      const outcome = await capture(program, args, { env: { HOME: home, ...env } })
      const kept = join(home, '.cache/tsbuild/code')
      const names = existsSync(kept) ? readdirSync(kept, { recursive: true }) : []
      return [outcome, names.map(String).filter((name) => name.endsWith('.code.js'))]
    }

    it('is right keeps none besides', async () => {
      const [{ status }, kept] = await parse(executable, directory.file('home/right'))
      assert.deepEqual({ status, kept }, { status: 0, kept: [] })
    })

    it('is for other flags of V8 does the same, and keeps code for these', async () => {
      const [expected] = await parse(executable, directory.file('home/usual'))
      const env = { NODE_OPTIONS: '--stack-trace-limit=20' }
      const [outcome, kept] = await parse(executable, directory.file('home/flags'), env)
      assert.deepEqual(outcome, expected)
      assert.equal(kept.length, 2)
    })

    it('is damaged does the same, and keeps it anew', async () => {
      const [expected] = await parse(executable, directory.file('home/expected'))
      const copy = directory.file('damaged')
      copyFileSync(executable, copy)
      const places = codeIn(bytes)
      assert.ok(places.length >= 5, `${places.length} files of code`)
      let noticed = 0
      for (const [index, { start, length }] of places.entries()) {
        for (const part of [0.001, 0.3, 0.6, 0.999]) {
          const at = start + Math.floor(length * part)
          const isCut = part === 0.6
          patch(copy, at, isCut ? Buffer.alloc(start + length - at) : flipped(bytes, at))
          const home = directory.file(`home/${index}-${part}`)
          const [outcome, kept] = await parse(copy, home)
          assert.deepEqual(outcome, expected)
          noticed += kept.length
          patch(copy, at, bytes.subarray(at, start + length))
        }
      }
      // Two of the files are for this command.
      assert.equal(noticed, 8)
    })
  })

  it('says where it cannot load its native library from', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const script = `
      mount --bind "$0" /mnt
      mount --bind "$1" /media
      for folder in /dev/shm /tmp /var/tmp; do mount -t tmpfs -o noexec none $folder; done
      exec /mnt/tsbuild -t x /media`
    const folders = [directory.path, join(REPOSITORY, 'fixtures/hello')]
    const env = { HOME: '/proc', TSBUILD_ROOT: '/tmp/store' }
    const { stderr } = await capture('unshare', ['-m', 'sh', '-ec', script, ...folders], { env })
    const lines =
      /^ERROR: load native code: no file .* in .*\(PERMISSION_DENIED\)\nhint: .*TMPDIR$/m
    assert.match(stderr, lines)
  })

  it('does not open a debugger on SIGUSR1', async () => {
    const child = spawn(executable, ['parse', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
    // More than fits between the processes: it is written once the program reads.
    await new Promise((done) => child.stdin.write(COMMENTS, done))
    child.kill('SIGUSR1')
    await setTimeout(200)
    child.stdin.end('FROM scratch\n')
    assert.equal(await text(child.stderr), '')
  })

  it('leaves no file of its native library', async () => {
    const temporary = directory.file('temporary')
    mkdirSync(temporary)
    const ours = (): readonly string[] =>
      [temporary, '/dev/shm', '/tmp'].flatMap((folder) =>
        readdirSync(folder).filter((name) => /^\.tsbuild-.*koffi/.test(name)),
      )
    const context = join(REPOSITORY, 'fixtures/hello')
    const env = { HOME: directory.path, TSBUILD_ROOT: directory.file('s'), TMPDIR: temporary }
    const { status, stderr } = await capture(executable, ['-t', 'x', context], { env })
    assert.equal(status, 0, stderr)
    assert.deepEqual(ours(), [])
  })
})

/** Where in an executable there are files of compiled code. */
function codeIn(bytes: Buffer): readonly { readonly start: number; readonly length: number }[] {
  const found: { start: number; length: number }[] = []
  for (let at = bytes.indexOf(MAGIC), next = 0; at >= 0; at = bytes.indexOf(MAGIC, next)) {
    const [names, code] = LENGTHS.map((offset) => bytes.readUInt32LE(at + offset))
    const length = COPIES * (HEAD_BYTES + (names ?? 0) + (code ?? 0))
    const isWhole = at + length <= bytes.length
    if (isWhole) found.push({ start: at, length })
    next = isWhole ? at + length : at + 1
  }
  return found
}

function flipped(bytes: Buffer, at: number): Buffer {
  return Buffer.of(bytes.readUInt8(at) ^ 4)
}

function patch(path: string, at: number, bytes: Buffer): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.length, at)
  closeSync(fd)
}
