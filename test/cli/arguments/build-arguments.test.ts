import assert from 'node:assert/strict'
import { parseBuild } from '../../../cli/arguments/build-arguments.ts'
import { parseFlags } from '../../../cli/arguments/flags.ts'
import { BUILD } from '../../../cli/commands/build/build.ts'
import { type FakeShellOptions, fakeShell } from '../support/fake-shell.ts'

function parse(argv: readonly string[], options: FakeShellOptions = {}) {
  return parseBuild(parseFlags(argv, BUILD.flags), fakeShell(options))
}

const REFUSED: readonly (readonly [readonly string[], string, string?])[] = [
  [[], 'the context is missing', 'it is a folder, usually ".": tsbuild [flags] .'],
  [['-t', 'x'], 'the context is missing', 'it is a folder, usually ".": tsbuild [flags] .'],
  [['.', 'extra'], 'unexpected argument "extra"', 'usage: tsbuild [build] [flags] CONTEXT'],
  [[''], 'the context must not be empty', 'usage: tsbuild [build] [flags] CONTEXT'],
  [['--network', 'nome', '.'], 'invalid network mode "nome"', 'did you mean none?'],
  [
    ['--network', 'bridge', '.'],
    'invalid network mode "bridge"',
    'choose one of default, none, host',
  ],
  [['--progress', 'plane', '.'], 'invalid progress mode "plane"', 'did you mean plain?'],
  [['--jobs', '0', '.'], 'invalid number of jobs "0"', 'write a whole number from 1 to 9999'],
  [['--jobs=-1', '.'], 'invalid number of jobs "-1"', 'write a whole number from 1 to 9999'],
  [['--build-arg', '=x', '.'], 'invalid --build-arg "=x"', 'write --build-arg KEY=VALUE'],
  [['--label', '', '.'], 'invalid --label ""', 'write --label KEY=VALUE'],
  [['-o', '-', '-o', 'type=oci', '.'], 'only one output can go to standard output'],
  [
    ['-o', 'type=local,dest=-', '.'],
    'a folder cannot go to standard output',
    'name a folder with dest',
  ],
  [
    ['-o', 'type=oci,tar=false,dest=-', '.'],
    'a folder cannot go to standard output',
    'name a folder with dest',
  ],
  [
    ['-q', '--progress', 'tty', '.'],
    'progress=tty and quiet cannot be used together',
    'leave out one of them',
  ],
  [
    ['--no-cache', '--no-cache-filter', 'a', '.'],
    '--no-cache and --no-cache-filter cannot be used together',
    '--no-cache is for all steps already',
  ],
  [
    ['-o', 'out', '--iidfile', 'x', '.'],
    'local and tar outputs make no image, so there is no id for --iidfile',
  ],
]

describe('the arguments of a build', () => {
  it('become build options', () => {
    const { options, iidfile, metadataFile, progress } = parse(
      [
        ...['-t', 'a', '-t', 'b:1', '-f', 'x/Dockerfile', '--target', 'final'],
        ...['--build-arg', 'A=1=2', '--build-arg', 'B', '--build-arg', 'C', '--label', 'l'],
        ...['--label', 'm=n', '--platform', 'linux/arm64', '--no-cache', '--pull'],
        ...[
          '--network',
          'none',
          '--secret',
          'id=s,src=/s',
          '--ssh',
          'default=/a',
          '--jobs',
          '3',
          '--root',
          '/r',
          '--insecure-registry',
          'h:1',
        ],
        ...['--iidfile', 'i', '--metadata-file', 'm', '--progress', 'plain', 'ctx'],
      ],
      { env: { B: 'from env' } },
    )
    assert.deepEqual(options, {
      context: 'ctx',
      file: 'x/Dockerfile',
      tags: ['a', 'b:1'],
      target: 'final',
      buildArgs: { A: '1=2', B: 'from env' },
      labels: { l: '', m: 'n' },
      platform: ['linux/arm64'],
      noCache: true,
      pull: true,
      network: 'none',
      secrets: { s: { file: '/s' } },
      ssh: { default: ['/a'] },
      jobs: 3,
      root: '/r',
      insecureRegistries: ['h:1'],
      keep: ['i', 'm'],
    })
    assert.deepEqual(
      { iidfile, metadataFile, progress },
      {
        iidfile: 'i',
        metadataFile: 'm',
        progress: 'plain',
      },
    )
  })

  it('leave out what is not said', () => {
    assert.deepEqual(parse(['.']).options, {
      context: '.',
      tags: [],
      buildArgs: {},
      labels: {},
      noCache: false,
      pull: false,
      secrets: {},
      ssh: {},
      insecureRegistries: [],
    })
  })

  it('keep a build argument called __proto__', () => {
    const { buildArgs } = parse(['--build-arg', '__proto__=x', '.']).options
    assert.deepEqual(Object.entries(buildArgs ?? {}), [['__proto__', 'x']])
  })

  for (const [argv, outputs] of [
    [['--push'], ['store', 'registry']],
    [['--push=false'], undefined],
    [
      ['--push', '-o', 'type=registry,compression=zstd'],
      ['registry', 'store'],
    ],
    [
      ['--push', '-o', 'out'],
      ['local', 'store', 'registry'],
    ],
  ] as const) {
    it(`turn ${argv.join(' ')} into outputs`, () => {
      const { options } = parse([...argv, '-t', 'a', '.'])
      assert.deepEqual(
        options.outputs?.map(({ type }) => type),
        outputs,
      )
    })
  }

  it('add the names that an output has', () => {
    const { options } = parse(['-t', 'a', '-o', 'type=image,name=b,push=true', '.'])
    assert.deepEqual(options.tags, ['a', 'b'])
  })

  it('send dest=- to standard output, but never to a terminal', () => {
    const shell = fakeShell()
    const args = parseFlags(['-o', 'type=oci,dest=-', '.'], BUILD.flags)
    assert.deepEqual(parseBuild(args, shell).options.outputs, [{ type: 'oci', dest: shell.stdout }])
    assert.throws(() => parseBuild(args, fakeShell({ terminal: true })), {
      code: 'USAGE',
      message: 'refusing to write type=oci to the terminal',
      hint: 'add dest=FILE, or redirect standard output',
    })
  })

  it('read the Dockerfile from standard input with -f -', () => {
    const request = parse(['-f', '-', '.'])
    assert.equal(request.stdin, 'dockerfile')
    assert.equal(request.options.file, undefined)
  })

  it('name further contexts with --build-context', () => {
    const { options } = parse([
      '--build-context',
      'a=.',
      '--build-context=b=docker-image://x=y',
      '.',
    ])
    assert.deepEqual(options.contexts, { a: '.', b: 'docker-image://x=y' })
    assert.equal(parse(['.']).options.contexts, undefined)
    for (const value of ['a', '=b', 'a=']) {
      assert.throws(() => parse([`--build-context=${value}`, '.']), {
        code: 'USAGE',
        message: `invalid context value: ${value}, expected key=value`,
      })
    }
  })

  it('read the context from standard input where it is -', () => {
    const request = parse(['-f', 'sub/Dockerfile', '-'])
    assert.equal(request.stdin, 'context')
    assert.equal(request.options.file, 'sub/Dockerfile')
    assert.equal(parse(['.']).stdin, undefined)
    assert.throws(() => parse(['-f', '-', '-']), {
      code: 'USAGE',
      message: "invalid argument: can't use stdin for both build context and dockerfile",
    })
  })

  it('choose the progress view: --quiet, --progress, then the environment', () => {
    const env = { BUILDKIT_PROGRESS: 'plain' }
    assert.equal(parse(['.']).progress, 'auto')
    assert.equal(parse(['--progress=rawjson', '.']).progress, 'rawjson')
    assert.equal(parse(['.'], { env }).progress, 'plain')
    assert.equal(parse(['--progress', 'tty', '.'], { env }).progress, 'tty')
    for (const argv of [['-q'], ['-q', '--progress', 'auto'], ['--progress', 'quiet']]) {
      const { progress, printsId } = parse([...argv, '.'], { env })
      assert.deepEqual({ progress, printsId }, { progress: 'quiet', printsId: true })
    }
    const none = parse(['--progress', 'none', '.'], { env })
    assert.deepEqual([none.progress, none.printsId], ['quiet', false])
  })

  it('print no id where an archive goes', () => {
    for (const output of ['-', 'type=oci', 'type=docker,dest=-']) {
      assert.equal(parse(['-q', '-o', output, '.']).printsId, false)
    }
    assert.equal(parse(['-q', '-o', 'x', '.']).printsId, true)
  })

  it('name the stages whose results are not looked up', () => {
    const argv = ['--no-cache-filter', 'a,b', '--no-cache-filter=c:RUN', '.']
    assert.deepEqual(parse(argv).options.noCache, ['a', 'b', 'c:RUN'])
    const quoted = ['--no-cache-filter', '"a:RUN apt-get install x,y*",:COPY', '.']
    assert.deepEqual(parse(quoted).options.noCache, ['a:RUN apt-get install x,y*', ':COPY'])
  })

  it('take the flags of scripts that call docker', () => {
    const argv = ['--rm', '--force-rm=true', '--rm=false', '--builder', 'x', '--provenance=false']
    const request = parse([...argv, '--sbom', 'false', '--load=false', '.'])
    assert.deepEqual(request, parse(['.']))
  })

  for (const [argv, outputs] of [
    [['--load'], [{ type: 'load' }]],
    [['--load-into', 'podman'], [{ type: 'load', engine: 'podman' }]],
    [
      ['--load', '--push'],
      [{ type: 'store' }, { type: 'registry' }, { type: 'load' }],
    ],
    [['--load', '-o', 'type=docker,context=c'], [{ type: 'load', context: 'c' }]],
    [['-o', 'type=cacheonly'], []],
    [['-o', 'type=cacheonly', '--load'], [{ type: 'load' }]],
    [
      ['--annotation', 'index,manifest[linux/arm64]:a=b=c', '-o', 'type=oci,dest=x', '-o', 'y'],
      [
        {
          type: 'oci',
          dest: 'x',
          annotations: [
            { level: 'index', key: 'a', value: 'b=c' },
            { level: 'manifest', platform: 'linux/arm64', key: 'a', value: 'b=c' },
          ],
        },
        { type: 'local', dest: 'y' },
      ],
    ],
    [
      ['--annotation', 'a='],
      [{ type: 'store', annotations: [{ level: 'manifest', key: 'a', value: '' }] }],
    ],
  ] as const) {
    it(`make outputs of ${argv.join(' ')}`, () => {
      assert.deepEqual(parse([...argv, '.']).options.outputs, outputs)
    })
  }

  it('may push by digest under names without a tag only', () => {
    const argv = ['-o', 'type=registry,push-by-digest=true,name=host/a', '.']
    assert.deepEqual(parse(argv).options.outputs, [{ type: 'registry', byDigest: true }])
    const tagged = { code: 'USAGE', message: "can't push tagged ref host/a:1 by digest" }
    assert.throws(() => parse(['-t', 'host/a:1', ...argv]), tagged)
  })

  it('let an output say that its registries are insecure', () => {
    const argv = ['-o', 'type=registry,registry.insecure=true,name=host:5000/a', '-t', 'other/b']
    assert.deepEqual(parse([...argv, '.']).options.insecureRegistries, ['docker.io', 'host:5000'])
  })

  for (const argv of [['--cache-to=type=registry,ref=x,compression=estargz']]) {
    it(`say what there is in its place: ${argv.join(' ')}`, () => {
      assert.throws(() => parse([...argv, '.']), { code: 'UNSUPPORTED', hint: /zstd:chunked/ })
    })
  }

  for (const [argv, message, hint] of REFUSED) {
    it(`are refused: ${argv.join(' ')}`, () => {
      const expected = { code: 'USAGE', message, ...(hint === undefined ? {} : { hint }) }
      assert.throws(() => parse(argv), expected)
    })
  }
})
