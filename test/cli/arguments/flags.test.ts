import assert from 'node:assert/strict'
import { type Flag, parseFlags } from '../../../cli/arguments/flags.ts'

const FLAGS: readonly Flag[] = [
  { name: 'tag', short: 't', metavar: 'NAME', repeat: true, help: '', group: '' },
  { name: 'file', short: 'f', metavar: 'FILE', help: '', group: '' },
  { name: 'output', short: 'o', metavar: 'OUT', repeat: true, help: '', group: '' },
  { name: 'no-cache', help: '', group: '' },
  { name: 'quiet', short: 'q', help: '', group: '' },
]

interface Read {
  readonly argv: readonly string[]
  readonly flags: Readonly<Record<string, readonly string[]>>
  readonly rest?: readonly string[]
}

const READ: readonly Read[] = [
  { argv: ['-t', 'a', '--tag=b', '--tag', 'c', '.'], flags: { tag: ['a', 'b', 'c'] }, rest: ['.'] },
  {
    argv: ['.', '-ta', '-qf', 'x'],
    flags: { tag: ['a'], quiet: ['true'], file: ['x'] },
    rest: ['.'],
  },
  { argv: ['-o', '-'], flags: { output: ['-'] } },
  { argv: ['--tag='], flags: { tag: [''] } },
  { argv: ['--tag=--x'], flags: { tag: ['--x'] } },
  { argv: ['--no-cache=false', '--quiet=1'], flags: { 'no-cache': ['false'], quiet: ['true'] } },
  { argv: ['--', '-t', '--x'], flags: {}, rest: ['-t', '--x'] },
  { argv: ['-'], flags: {}, rest: ['-'] },
]

const REFUSED: readonly (readonly [readonly string[], string, string])[] = [
  [['--tga', 'x'], 'unknown flag: --tga', 'did you mean --tag?'],
  [['--zzzzzz'], 'unknown flag: --zzzzzz', 'tsbuild --help lists the flags'],
  [['-x'], 'unknown flag: -x', 'tsbuild --help lists the flags'],
  [['--tag'], 'flag --tag needs a value', 'tsbuild --help lists the flags'],
  [['-t'], 'flag -t needs a value', 'tsbuild --help lists the flags'],
  [
    ['--tag', '--quiet'],
    'flag --tag needs a value, but --quiet follows',
    'write --tag=--quiet if that is the value',
  ],
  [['-f', '-q'], 'flag -f needs a value, but -q follows', 'write -f-q if that is the value'],
  [
    ['--quiet=maybe'],
    'invalid value "maybe" for the switch --quiet',
    'write --quiet, or --quiet=false',
  ],
]

describe('flags', () => {
  for (const { argv, flags, rest = [] } of READ) {
    it(`reads ${argv.join(' ')}`, () => {
      const args = parseFlags(argv, FLAGS)
      const found = FLAGS.map(({ name }) => [name, args.list(name)] as const)
      assert.deepEqual(Object.fromEntries(found.filter(([, list]) => list.length > 0)), flags)
      assert.deepEqual(args.positionals, rest)
    })
  }

  for (const [argv, message, hint] of REFUSED) {
    it(`refuses ${argv.join(' ')}`, () => {
      assert.throws(() => parseFlags(argv, FLAGS), { code: 'USAGE', message, hint })
    })
  }

  it('takes the last value of a flag that is given twice', () => {
    const args = parseFlags(['-f', 'a', '-f', 'b', '-q', '--quiet=false'], FLAGS)
    assert.equal(args.text('file'), 'b')
    assert.equal(args.has('quiet'), false)
  })
})
