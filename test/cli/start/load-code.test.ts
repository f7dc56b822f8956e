import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

const BUNDLE = fileURLToPath(new URL('../../../bundle', import.meta.url))

/** Prints which functions came compiled: V8 compiles lazily what did not. */
const PROGRAM = `
const { answer } = require('./main-parse.code.js')
exports.main = ([mode]) => {
  if (mode === 'fail') process.exitCode = 3
  if (mode === 'thread') new (require('node:worker_threads').Worker)(
    require('node:path').join(__dirname, 'file-worker.js'),
    { argv: globalThis[Symbol.for('tsbuild.loader')].threadStart().argv, env: {} },
  )
  console.log(answer())
}
`

describe('the code of a program', () => {
  let directory: TemporaryDirectory
  let cache: string
  beforeEach(() => {
    directory = temporaryDirectory('load-code')
    cache = directory.file('home/.cache/tsbuild/code')
    mkdirSync(directory.file('home'))
    mkdirSync(directory.file('bundle'))
    for (const name of ['main.js', 'file-worker.js', 'package.json']) {
      cpSync(join(BUNDLE, name), directory.file(`bundle/${name}`))
    }
    writeFileSync(directory.file('bundle/main.code.js'), PROGRAM)
    writeFileSync(
      directory.file('bundle/main-parse.code.js'),
      'exports.answer = () => [6].map((n) => n * 7)[0]',
    )
    writeFileSync(directory.file('bundle/file-worker.code.js'), "console.log('in a thread')")
  })
  afterEach(() => directory[Symbol.dispose]())

  function start(mode = '', env: Readonly<Record<string, string>> = {}, prefix: string[] = []) {
    const script = `require(${JSON.stringify(directory.file('bundle/main.js'))}).main([${JSON.stringify(mode)}])`
    const [program = '', ...words] = [...prefix, process.execPath, '-e', script]
    const { status, stdout, stderr } = spawnSync(program, words, {
      encoding: 'utf8',
      env: { HOME: directory.file('home'), ...env },
    })
    assert.equal(stderr, '')
    return { status, stdout }
  }

  function keptFolder(): string {
    const [name = '', ...others] = readdirSync(cache)
    assert.deepEqual(others, [])
    return join(cache, name)
  }

  const RIGHT = { status: 0, stdout: '42\n' }

  it('is kept by the first run that succeeds, for this user only', () => {
    assert.deepEqual(start('fail'), { status: 3, stdout: '42\n' })
    assert.deepEqual(readdirSync(directory.file('home')), [])
    assert.deepEqual(start(), RIGHT)
    assert.deepEqual(readdirSync(keptFolder()), ['main-parse.code.js', 'main.code.js'])
    for (const name of ['.', '..']) {
      assert.equal(statSync(join(keptFolder(), name)).mode & 0o7777, 0o700)
    }
    assert.equal(statSync(join(keptFolder(), 'main.code.js')).mode & 0o7777, 0o600)
  })

  it('is run from there, and written once', () => {
    start()
    const file = join(keptFolder(), 'main.code.js')
    const { ino } = statSync(file)
    // Of the same length: V8 compares nothing else of the source.
    const path = directory.file('bundle/main-parse.code.js')
    writeFileSync(path, readFileSync(path, 'utf8').replace('n * 7', 'n * 8'))
    assert.deepEqual(start(), RIGHT)
    assert.equal(statSync(file).ino, ino)
  })

  it('is another for another bundle', () => {
    start()
    const loader = directory.file('bundle/main.js')
    const path = directory.file('bundle/main-parse.code.js')
    writeFileSync(path, readFileSync(path, 'utf8').replace('n * 7', 'n * 8'))
    const text = readFileSync(loader, 'utf8')
    const changed = text.replace(/`[0-9a-f]{16}`\)/, '"0123456789abcdef")')
    assert.notEqual(changed, text)
    writeFileSync(loader, changed)
    assert.deepEqual(start(), { status: 0, stdout: '48\n' })
    assert.equal(readdirSync(cache).length, 2)
  })

  it('is another with other flags of V8', () => {
    start()
    start('', { NODE_OPTIONS: '--stack-trace-limit=20' })
    assert.equal(readdirSync(cache).length, 2)
  })

  it('of a thread is kept, too, where the thread that starts it says', () => {
    for (let times = 0; times < 2; times++) {
      assert.deepEqual(start('thread').stdout.split('\n').toSorted(), ['', '42', 'in a thread'])
      assert.ok(readdirSync(keptFolder()).includes('file-worker.code.js'))
    }
  })

  it('is compiled where what was kept is damaged, and then kept anew', () => {
    start()
    const file = join(keptFolder(), 'main.code.js')
    const whole = readFileSync(file)
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 12)) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at)
      writeFileSync(file, at % 2 === 0 ? bytes : whole.subarray(0, at))
      assert.deepEqual(start(), RIGHT)
      assert.equal(readFileSync(file).length, whole.length)
    }
  })

  it('is found whole by processes that start at once', () => {
    const script = `for i in 1 2 3 4 5 6; do "$@" & done; wait`
    const runs = start('', {}, ['/bin/sh', '-c', script, 'sh'])
    assert.deepEqual(runs, { status: 0, stdout: '42\n'.repeat(6) })
    assert.deepEqual(readdirSync(keptFolder()), ['main-parse.code.js', 'main.code.js'])
  })

  it('is kept of a few bundles only', () => {
    for (let index = 0; index < 9; index++) {
      mkdirSync(join(cache, `old-${index}`), { recursive: true })
      utimesSync(join(cache, `old-${index}`), index, index)
    }
    for (const folder of [cache, join(cache, '..')]) chmodSync(folder, 0o700)
    start()
    const names = readdirSync(cache)
    assert.equal(names.length, 6)
    assert.deepEqual(
      names.filter((name) => name.startsWith('old-')),
      ['old-4', 'old-5', 'old-6', 'old-7', 'old-8'],
    )
  })

  it('is not kept in a home that is missing, read-only or not named', () => {
    assert.deepEqual(start('', { HOME: directory.file('none') }), RIGHT)
    assert.deepEqual(start('', { HOME: '' }), RIGHT)
    assert.deepEqual(start('', { HOME: '/proc' }), RIGHT)
    assert.deepEqual(readdirSync(directory.path).toSorted(), ['bundle', 'home'])
  })

  it('is not kept where Node is told to keep none', () => {
    assert.deepEqual(start('', { NODE_DISABLE_COMPILE_CACHE: '1' }), RIGHT)
    assert.deepEqual(readdirSync(directory.file('home')), [])
  })

  it('is not kept where others may write', () => {
    mkdirSync(cache, { recursive: true })
    chmodSync(cache, 0o777)
    assert.deepEqual(start(), RIGHT)
    assert.deepEqual(readdirSync(cache), [])
  })

  it("is not kept in another user's home, as under sudo", function () {
    if (process.geteuid?.() !== 0) this.skip()
    mkdirSync(directory.file('home/.cache'))
    for (const path of ['home', 'home/.cache']) chownSync(directory.file(path), 1000, 1000)
    assert.deepEqual(start(), RIGHT)
    assert.deepEqual(readdirSync(directory.file('home/.cache')), [])
  })

  it('is loaded as it is for TSBUILD_DEBUG=1', () => {
    assert.deepEqual(start('thread', { TSBUILD_DEBUG: '1' }).status, 0)
    assert.deepEqual(readdirSync(directory.file('home')), [])
  })
})
