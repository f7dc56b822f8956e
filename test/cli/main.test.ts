import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseCommand } from '../../cli/choose/choose-command.ts'
import { runProgram } from '../../cli/main.ts'
import { fakeShell } from './support/fake-shell.ts'

async function run(...argv: readonly string[]) {
  const shell = fakeShell()
  const code = await runProgram(argv, shell)
  return { code, out: shell.out(), err: shell.err() }
}

const CHOSEN: readonly (readonly [readonly string[], string, readonly string[]])[] = [
  [['.'], 'build', ['.']],
  [['build', '.'], 'build', ['.']],
  [['images', '-q'], 'images', ['-q']],
  [['./images'], 'build', ['./images']],
  [['-t', 'x', 'test'], 'build', ['-t', 'x', 'test']],
  [['--root', '/r', 'inspect', 'x'], 'inspect', ['--root', '/r', 'x']],
  [['-q', '--root=/r', 'images'], 'images', ['-q', '--root=/r']],
  [['-q', '--progress', 'plain', 'push', 'x'], 'push', ['-q', '--progress', 'plain', 'x']],
  [['-qt', 'images', '.'], 'build', ['-qt', 'images', '.']],
  [['-timages', '.'], 'build', ['-timages', '.']],
  [['-t', 'x', 'build', '.'], 'build', ['-t', 'x', '.']],
  [['--', 'images'], 'build', ['--', 'images']],
  [['--unknown', 'images', 'x'], 'images', ['--unknown', 'x']],
  [['build', 'images'], 'build', ['images']],
  [['--root', '/r', 'images'], 'images', ['--root', '/r']],
  [['--root=/r', 'push', 'x'], 'push', ['--root=/r', 'x']],
  [['--root', '/r', '.'], 'build', ['--root', '/r', '.']],
]

const FAILURES: readonly (readonly [readonly string[], string])[] = [
  [
    ['imagse'],
    'ERROR: no such command, and no such folder: imagse (USAGE)\nhint: did you mean tsbuild images?\n',
  ],
  [
    ['--root', '/r', '--progress', 'plain', 'inspect', 'x'],
    'ERROR: tsbuild inspect takes no --progress (USAGE)\nhint: tsbuild inspect --help lists its flags; they may stand behind it, too\n',
  ],
  [
    ['-qt', 'x', 'images'],
    'ERROR: tsbuild images takes no -t (USAGE)\nhint: tsbuild images --help lists its flags; they may stand behind it, too\n',
  ],
  [
    ['frobnicate'],
    'ERROR: no such command, and no such folder: frobnicate (USAGE)\nhint: the context is a folder; tsbuild --help lists the commands\n',
  ],
  [
    ['build'],
    'ERROR: the context is missing (USAGE)\nhint: it is a folder, usually ".": tsbuild [flags] .\n',
  ],
  [
    ['push'],
    'ERROR: expected an argument, got 0 (USAGE)\nhint: usage: tsbuild push [flags] NAME[:TAG]\n',
  ],
  [
    ['tag', 'a'],
    'ERROR: expected 2 arguments, got 1 (USAGE)\nhint: usage: tsbuild tag [flags] IMAGE NAME[:TAG]\n',
  ],
  [['--tga', 'x', '.'], 'ERROR: unknown flag: --tga (USAGE)\nhint: did you mean --tag?\n'],
  [['help', 'imagse'], 'ERROR: unknown command "imagse" (USAGE)\nhint: did you mean images?\n'],
  [
    ['images', '--format', 'xml'],
    'ERROR: unknown format "xml" (USAGE)\nhint: choose one of table, json\n',
  ],
  [
    ['login', 'not a host'],
    'ERROR: invalid registry "not a host": invalid reference format (REFERENCE_INVALID)\nhint: write HOST or HOST:PORT\n',
  ],
  [
    ['login', 'h:1', '--password-stdin'],
    'ERROR: --password-stdin needs a user name (USAGE)\nhint: add --username NAME\n',
  ],
  [
    ['login', 'h:1'],
    'ERROR: cannot ask for credentials: standard input is not a terminal (USAGE)\nhint: use --username NAME --password-stdin\n',
  ],
]

describe('the program', () => {
  for (const [argv, name, rest] of CHOSEN) {
    it(`takes "${argv.join(' ')}" for ${name}`, () => {
      const chosen = chooseCommand(argv)
      assert.equal(chosen.command.name, name)
      assert.deepEqual(chosen.rest, rest)
    })
  }

  it('takes a folder behind flags for the context', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'))
    mkdirSync(join(folder, 'images'))
    const before = process.cwd()
    process.chdir(folder)
    try {
      assert.equal(chooseCommand(['-tcat', 'images']).command.name, 'build')
      assert.equal(chooseCommand(['-q', 'images']).command.name, 'build')
      assert.equal(chooseCommand(['images']).command.name, 'images')
      assert.equal(chooseCommand(['-q', 'push', 'images']).command.name, 'push')
    } finally {
      process.chdir(before)
      rmSync(folder, { recursive: true })
    }
  })

  for (const argv of [[], ['--help'], ['-h'], ['help']]) {
    it(`prints its help for "${argv.join(' ')}"`, async () => {
      const { code, out, err } = await run(...argv)
      assert.equal(code, 0)
      assert.equal(err, '')
      assert.match(out, /^tsbuild builds OCI images.*\n\nUsage:\n/)
    })
  }

  for (const argv of [
    ['push', '--help'],
    ['help', 'push'],
    ['push', '-h', 'x'],
  ]) {
    it(`prints the help of a command for "${argv.join(' ')}"`, async () => {
      const { code, out } = await run(...argv)
      assert.equal(code, 0)
      assert.match(out, /^Push a local image.*\n\nUsage:\n {2}tsbuild push \[flags\] NAME/)
    })
  }

  for (const argv of [['--version'], ['version']]) {
    it(`prints its version for "${argv.join(' ')}"`, async () => {
      const { code, out } = await run(...argv)
      assert.equal(code, 0)
      assert.match(out, /^tsbuild \d+\.\d+\.\d+ \(node v\d+\.\d+\.\d+, \w+\/\w+\)\n$/)
    })
  }

  for (const [argv, err] of FAILURES) {
    it(`says what is wrong with "${argv.join(' ')}"`, async () => {
      assert.deepEqual(await run(...argv), { code: 1, out: '', err })
    })
  }
})
