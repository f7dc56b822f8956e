import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../../cli/bin.js', import.meta.url))

/** A package of its own around the launcher, whose program is `main`. */
function packageWith(folder: string, main: string | undefined): string {
  mkdirSync(join(folder, 'cli'))
  cpSync(LAUNCHER, join(folder, 'cli', 'bin.js'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  if (main !== undefined) {
    mkdirSync(join(folder, 'dist', 'bundle'), { recursive: true })
    writeFileSync(
      join(folder, 'dist', 'bundle', 'main.js'),
      `export async function main(argv) {\n${main}\n}\n`,
    )
  }
  return join(folder, 'cli', 'bin.js')
}

/** The launcher's text with another version in the place of the running Node's. */
function pretendVersion(bin: string, version: string): void {
  const text = readFileSync(bin, 'utf8')
  writeFileSync(bin, text.replaceAll('process.versions.node', `'${version}'`))
}

function run(
  bin: string,
  options: { argv?: readonly string[]; env?: Record<string, string> } = {},
) {
  const { argv = [], env = {} } = options
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [bin, ...argv], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: join(dirname(bin), 'home'), ...env },
  })
  return { status, stdout, stderr, signal }
}

/** What Node 24 has and Node 22 lacks, taken away before the program starts. */
const AS_NODE_22 = `
for (const name of ['AsyncDisposableStack', 'DisposableStack', 'SuppressedError', 'Float16Array']) {
  delete globalThis[name]
}
for (const name of ['try']) delete Promise[name]
for (const name of ['escape']) delete RegExp[name]
delete Error.isError
`

describe('the launcher', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('hands its arguments over', () => {
    const bin = packageWith(folder, 'console.log(JSON.stringify(argv)); process.exit(3)')
    const { status, stdout, stderr } = run(bin, { argv: ['a', '--b', ''] })
    assert.deepEqual(
      { status, stdout, stderr },
      { status: 3, stdout: '["a","--b",""]\n', stderr: '' },
    )
  })

  it('works through a link', () => {
    const bin = packageWith(folder, 'console.log("here")')
    symlinkSync(bin, join(folder, 'tsbuild'))
    assert.equal(run(join(folder, 'tsbuild')).stdout, 'here\n')
  })

  for (const [version, needed] of [
    ['12.22.12', '22.15'],
    ['20.20.2', '22.15'],
    ['22.14.0', '22.15'],
    ['23.9.0', '23.10'],
  ] as const) {
    it(`says what it needs on Node ${version}`, () => {
      const bin = packageWith(folder, 'console.log("started")')
      pretendVersion(bin, version)
      const { status, stdout, stderr } = run(bin)
      assert.deepEqual({ status, stdout }, { status: 1, stdout: '' })
      assert.equal(
        stderr,
        `tsbuild needs Node.js ${needed} or newer; this is ${version} (${process.execPath})\n`,
      )
    })
  }

  it('starts the Node that the package brings when the running one is too old', () => {
    const bin = packageWith(folder, 'process.exit(7)')
    pretendVersion(bin, '20.20.2')
    const newer = join(folder, 'node_modules', 'node', 'bin', 'node')
    mkdirSync(join(folder, 'node_modules', 'node', 'bin'), { recursive: true })
    writeFileSync(newer, '#!/bin/sh\necho "$@"\nexit 7\n')
    chmodSync(newer, 0o755)
    const { status, stdout } = run(bin, { argv: ['a', 'b'] })
    assert.deepEqual({ status, stdout }, { status: 7, stdout: `${bin} a b\n` })
  })

  it('does not start itself for ever', () => {
    const bin = packageWith(folder, 'process.exit(7)')
    pretendVersion(bin, '20.20.2')
    mkdirSync(join(folder, 'node_modules', 'node', 'bin'), { recursive: true })
    symlinkSync(process.execPath, join(folder, 'node_modules', 'node', 'bin', 'node'))
    const { status, stderr } = run(bin)
    assert.equal(status, 1)
    assert.match(stderr, /^tsbuild needs Node.js 22.15 or newer; this is 20.20.2 \(.*\)\n$/)
  })

  it('says what to do when nothing is compiled', () => {
    const bin = packageWith(folder, undefined)
    const { status, stderr } = run(bin)
    assert.equal(status, 1)
    assert.equal(stderr, `tsbuild is not compiled yet: run npm ci in ${folder}\n`)
  })

  it('does not open a debugger on SIGUSR1', () => {
    const bin = packageWith(
      folder,
      'process.kill(process.pid, "SIGUSR1"); await new Promise((done) => setTimeout(done, 100)); console.log("alive")',
    )
    const { stdout, stderr } = run(bin)
    assert.deepEqual({ stdout, stderr }, { stdout: 'alive\n', stderr: '' })
  })

  it('names places in the source for TSBUILD_DEBUG=1', () => {
    const preload = join(folder, 'bug.cjs')
    writeFileSync(
      preload,
      `const fs = require('fs')
      const { openSync } = fs
      fs.openSync = (path, ...rest) => {
        if (path === 'none') throw new TypeError('a bug')
        return openSync(path, ...rest)
      }`,
    )
    const env = { NODE_OPTIONS: `--require ${preload}`, TSBUILD_DEBUG: '1' }
    const { status, stderr } = run(LAUNCHER, { argv: ['parse', 'none'], env })
    assert.equal(status, 1)
    assert.match(stderr, /dist\/builder\/linux\/filesystem\/named-file\.js:\d+:\d+\)$/m)
    assert.match(stderr, /dist\/cli\/main\.js:\d+:\d+\)$/m)
  })

  it('starts a program that needs nothing newer than Node 22.15', () => {
    const preload = join(folder, 'as-node-22.cjs')
    writeFileSync(preload, AS_NODE_22)
    const build = (...argv: readonly string[]) =>
      run(LAUNCHER, {
        argv: ['--root', join(folder, 'store'), '--progress', 'plain', ...argv],
        env: { NODE_OPTIONS: `--require ${preload}`, HOME: folder },
      })
    mkdirSync(join(folder, 'context'))
    writeFileSync(join(folder, 'context', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n')
    const built = build('-t', 'a:1', join(folder, 'context'))
    assert.equal(built.status, 0, built.stderr)
    writeFileSync(join(folder, 'context', 'Dockerfile'), 'FROM scratch\nCOPY none /\n')
    const failed = build(join(folder, 'context'))
    assert.equal(failed.status, 1)
    assert.match(failed.stderr, /ERROR: "\/none": not found \(NOT_FOUND\)/)
  })
})
