import assert from 'node:assert/strict'
import { chooseCommand, runProgram } from '../../cli/main.ts'
import { fakeShell } from './fake-shell.ts'

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
  [['-t', 'x', 'images'], 'build', ['-t', 'x', 'images']],
  [['build', 'images'], 'build', ['images']],
  [['--root', '/r', 'images'], 'images', ['--root', '/r']],
  [['--root=/r', 'push', 'x'], 'push', ['--root=/r', 'x']],
  [['--root', '/r', '.'], 'build', ['--root', '/r', '.']],
]

const FAILURES: readonly (readonly [readonly string[], string])[] = [
  [
    ['imagse'],
    'ERROR: no such command, and no such folder: imagse (USAGE)\nhint: did you mean tsbuild images? A command comes before its flags\n',
  ],
  [
    ['-q', 'images'],
    'ERROR: no such command, and no such folder: images (USAGE)\nhint: did you mean tsbuild images? A command comes before its flags\n',
  ],
  [
    ['frobnicate'],
    'ERROR: no such command, and no such folder: frobnicate (USAGE)\nhint: the context is a folder; tsbuild --help lists the commands\n',
  ],
  [
    ['build'],
    'ERROR: expected an argument, got 0 (USAGE)\nhint: usage: tsbuild [build] [flags] CONTEXT\n',
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
