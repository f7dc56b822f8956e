import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

const FOUND = `# VERSION which one
ARG VERSION=3
ARG UNUSED
# base what the others need
FROM scratch as base
FROM base
ARG VERSION
RUN --mount=type=secret,id=key,required --mount=type=secret,target=/run/other <<X
text
X
`

describe('--call', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-call-'))
    mkdirSync(join(folder, 'context'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  async function run(dockerfile: string, ...flags: readonly string[]): Promise<Ran> {
    writeFileSync(join(folder, 'context', 'Dockerfile'), dockerfile)
    const shell = fakeShell()
    const root = join(folder, 'store')
    const argv = ['build', '--root', root, ...flags, join(folder, 'context')]
    const code = await runProgram(argv, shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  describe('check', () => {
    it('says that there is nothing to say', async () => {
      const { code, out } = await run('FROM scratch\nCOPY . /\n', '--check')
      assert.deepEqual({ code, out }, { code: 0, out: 'Check complete, no warnings found.\n' })
    })

    it('shows each finding with its lines, in their order', async () => {
      const { code, out, err } = await run('FROM scratch as b\nCMD a \\\n\n b\n', '--check')
      assert.equal(
        out,
        `Check complete, 3 warnings have been found!

WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/
'as' and 'FROM' keywords' casing do not match
Dockerfile:1
--------------------
   1 | >>> FROM scratch as b
   2 |     CMD a \\
   3 |     ${''}
--------------------

WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/
JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
Dockerfile:2
--------------------
   1 |     FROM scratch as b
   2 | >>> CMD a \\
   3 | >>> ${''}
   4 | >>>  b
   5 |     ${''}
--------------------

WARNING: NoEmptyContinuation - https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/
Empty continuation line
Dockerfile:4
--------------------
   2 |     CMD a \\
   3 |     ${''}
   4 | >>>  b
   5 |     ${''}
--------------------
`,
      )
      assert.deepEqual({ code, err }, { code: 1, err: '' })
    })

    it('counts one', async () => {
      const { out } = await run('FROM scratch as b\n', '--call', 'lint')
      assert.match(out, /^Check complete, 1 warning has been found!\n\nWARNING: FromAsCasing - /)
    })

    it('can succeed whatever it finds', async () => {
      const { code, out } = await run('FROM scratch as b\n', '--call=check,ignorestatus=true')
      assert.equal(code, 0)
      assert.match(out, /1 warning/)
    })

    it('looks at all stages, or at what a target needs', async () => {
      const text = 'FROM scratch AS a\nENV a b\nFROM scratch AS b\nFROM b\n'
      assert.equal((await run(text, '--check')).code, 1)
      assert.equal((await run(text, '--check', '--target', 'b')).code, 0)
    })

    it('takes the settings from a build argument', async () => {
      const flag = '--build-arg=BUILDKIT_DOCKERFILE_CHECK=skip=all'
      assert.equal((await run('FROM scratch as b\n', '--check', flag)).code, 0)
    })

    it('reads a Dockerfile on standard input', async () => {
      const shell = fakeShell({ stdin: 'FROM scratch as b\n' })
      const argv = ['--check', '-f', '-', '--root', join(folder, 'store'), folder]
      assert.equal(await runProgram(argv, shell), 1)
      assert.match(shell.out(), /FromAsCasing/)
    })

    it('fails with what keeps the file from being built, findings first', async () => {
      const { code, out, err } = await run(
        'FROM scratch AS B\nBOGUS\n',
        '--call=check,ignorestatus=true',
      )
      assert.equal(code, 1)
      assert.match(out, /^Check complete, 1 warning has been found!\n\nWARNING: StageNameCasing/)
      assert.match(err, /ERROR: dockerfile parse error on line 2: unknown instruction: BOGUS/)
    })

    it('says nothing on standard output about a file that is only wrong', async () => {
      const { code, out, err } = await run('FROM scratch\nEXPOSE x\n', '--check')
      assert.deepEqual({ code, out }, { code: 1, out: '' })
      assert.match(err, /ERROR: /)
    })

    it('fails with error=true, findings first, and whatever the status', async () => {
      const text = '# check=error=true\nFROM scratch as b\n'
      for (const call of ['--check', '--call=check,ignorestatus=true']) {
        const { code, out, err } = await run(text, call)
        assert.equal(code, 1)
        assert.match(out, /^Check complete, 1 warning has been found!\n\nWARNING: FromAsCasing/)
        assert.match(err, /ERROR: lint violation found for rules: FromAsCasing/)
      }
      const skipped = text.replace('error', 'skip=FromAsCasing;error')
      assert.deepEqual(await run(skipped, '--check'), {
        code: 0,
        out: 'Check complete, no warnings found.\n',
        err: '',
      })
    })

    it('makes the text harmless to a terminal', async () => {
      const { out } = await run('FROM scratch\nWORKDIR a\u001b[31m\n', '--check')
      assert.match(out, /WorkdirRelativePath/)
      assert.ok(!out.includes('\u001b'))
    })
  })

  describe('check,format=json', () => {
    it('has the form of BuildKit', async () => {
      const text = 'FROM scratch\nCMD a \\\n b\n'
      const { code, out } = await run(text, '--call=check,format=json')
      assert.equal(code, 1)
      assert.deepEqual(JSON.parse(out), {
        warnings: [
          {
            ruleName: 'JSONArgsRecommended',
            description: 'CMD and ENTRYPOINT as JSON arrays get signals themselves',
            url: 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
            detail:
              'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
            location: {
              sourceIndex: 0,
              ranges: [2, 3].map((line) => ({
                start: { line, character: 0 },
                end: { line, character: 0 },
              })),
            },
          },
        ],
        sources: [
          {
            filename: 'Dockerfile',
            language: 'Dockerfile',
            data: Buffer.from(text).toString('base64'),
          },
        ],
      })
    })

    it('tells why the file cannot be built', async () => {
      const { code, out, err } = await run('FROM scratch\nBOGUS\n', '--call=check,format=json')
      assert.equal(code, 1)
      assert.match(err, /unknown instruction/)
      const { warnings, buildError } = JSON.parse(out)
      assert.deepEqual(warnings, [])
      assert.deepEqual(buildError, {
        message: 'dockerfile parse error on line 2: unknown instruction: BOGUS',
        location: {
          sourceIndex: 0,
          ranges: [{ start: { line: 2, character: 0 }, end: { line: 2, character: 0 } }],
        },
      })
    })
  })

  describe('check,format=sarif', () => {
    it('has results that point at rules, files and regions', async () => {
      const { code, out } = await run(
        'FROM scratch AS B\n  ENV a b\nFROM scratch AS C\nBOGUS\n',
        '--call=check,format=sarif',
      )
      assert.equal(code, 1)
      const { $schema, version, runs } = JSON.parse(out)
      assert.match($schema, /sarif-2\.1\.0/)
      assert.equal(version, '2.1.0')
      assert.equal(runs.length, 1)
      const [{ tool, results, columnKind }] = runs
      assert.equal(columnKind, 'utf16CodeUnits')
      assert.equal(tool.driver.name, 'tsbuild')
      const ids = tool.driver.rules.map(({ id }: { id: string }) => id)
      assert.deepEqual(ids, ['StageNameCasing', 'BuildError'])
      for (const rule of tool.driver.rules) {
        assert.ok(rule.shortDescription.text.length > 0)
        assert.ok(rule.helpUri === undefined || URL.canParse(rule.helpUri))
      }
      assert.equal(results.length, 3)
      for (const { ruleId, ruleIndex, level, message, locations } of results) {
        assert.equal(ids[ruleIndex], ruleId)
        assert.equal(level, ruleId === 'BuildError' ? 'error' : 'warning')
        assert.ok(message.text.length > 0)
        assert.equal(locations.length, 1)
        const [{ physicalLocation }] = locations
        assert.match(physicalLocation.artifactLocation.uri, /^file:\/\/\/.*\/context\/Dockerfile$/)
      }
      assert.deepEqual(
        results.map(
          ({ locations: [{ physicalLocation }] }: { locations: [{ physicalLocation: object }] }) =>
            'region' in physicalLocation && physicalLocation.region,
        ),
        [
          { startLine: 1, startColumn: 1, endLine: 1, endColumn: 18 },
          { startLine: 3, startColumn: 1, endLine: 3, endColumn: 18 },
          { startLine: 4, startColumn: 1, endLine: 4, endColumn: 6 },
        ],
      )
    })

    it('is empty and valid when nothing is found', async () => {
      const { code, out } = await run('FROM scratch\n', '--call=check,format=sarif')
      assert.equal(code, 0)
      const [{ results, tool }] = JSON.parse(out).runs
      assert.deepEqual([results, tool.driver.rules], [[], []])
    })

    it('names a file below the current directory as the repository does', async () => {
      const file = 'fixtures/hello/Dockerfile'
      const shell = fakeShell()
      const root = join(folder, 'store')
      await runProgram(
        ['--root', root, '--call=check,format=sarif', '-f', file, 'fixtures/hello'],
        shell,
      )
      const [{ artifacts }] = JSON.parse(shell.out()).runs
      assert.deepEqual(artifacts[0].location, { uri: file, uriBaseId: '%SRCROOT%' })
    })
  })

  describe('outline', () => {
    it('lists what the target takes', async () => {
      const { code, out } = await run(FOUND, '--call=outline', '--build-arg', 'VERSION=4')
      assert.equal(code, 0)
      assert.equal(
        out,
        `BUILD ARG   VALUE   DESCRIPTION
VERSION     4       which one

SECRET   REQUIRED
key      true
other

`,
      )
    })

    it('names the target', async () => {
      const { out } = await run(FOUND, '--call=outline', '--target=base')
      assert.equal(out, 'TARGET:      base\nDESCRIPTION: what the others need\n\n')
    })

    it('is JSON without what is empty', async () => {
      const { out } = await run(FOUND, '--call=outline,format=json')
      const location = (...lines: readonly number[]): object => ({
        sourceIndex: 0,
        ranges: lines.map((line) => {
          return { start: { line, character: 0 }, end: { line, character: 0 } }
        }),
      })
      assert.deepEqual(JSON.parse(out), {
        args: [{ name: 'VERSION', description: 'which one', value: '3', location: location(2) }],
        secrets: [
          { name: 'key', required: true, location: location(8, 9, 10) },
          { name: 'other', location: location(8, 9, 10) },
        ],
        sources: [Buffer.from(FOUND).toString('base64')],
      })
    })

    it('names mounts as the build does', async () => {
      const text = `FROM scratch
ARG N=one
ENV T=/x//y/
RUN --mount=type=Secret,src=$N,required=1 --mount=type=secret,dst=$T --mount=type=ssh \\
  --mount=type=ssh,id=host,required=false --mount=type=cache,target=$T --mount=type=cache,id=c x
RUN --mount=type=secret,id=one x
`
      const { out } = await run(text, '--call=outline,format=json')
      const { secrets, ssh, cache } = JSON.parse(out)
      const plain = (list: readonly { readonly name: string; readonly required?: boolean }[]) =>
        list.map(({ name, required }) => `${name} ${required ?? ''}`)
      assert.deepEqual(plain(secrets), ['one true', 'y '])
      assert.deepEqual(plain(ssh), ['default ', 'host '])
      assert.deepEqual(cache, [{ ID: '/x/y' }, { ID: 'c' }])
    })

    it('believes the stage nearest to the target about a mount, and its first step', async () => {
      const text = [
        'FROM scratch AS base',
        'RUN --mount=type=secret,id=one,required --mount=type=ssh x',
        'FROM base',
        'RUN --mount=type=secret,id=one x',
        'RUN --mount=type=ssh,required --mount=type=secret,id=one,required x',
      ].join('\n')
      const { out } = await run(text, '--call=outline,format=json')
      const { secrets, ssh } = JSON.parse(out)
      const brief = [...secrets, ...ssh].map(({ name, required = false, location }) => {
        return `${name} ${required} ${location.ranges[0].start.line}`
      })
      assert.deepEqual(brief, ['one false 4', 'default true 5'])
    })

    it('needs a target that exists', async () => {
      const { code, out, err } = await run(FOUND, '--call=outline', '--target=bsae')
      assert.deepEqual({ code, out }, { code: 1, out: '' })
      assert.match(err, /target stage "bsae" could not be found \(did you mean base\?\)/)
    })
  })

  describe('targets', () => {
    it('lists the stages', async () => {
      const { code, out } = await run(`${FOUND}FROM base AS last\n`, '--call=targets')
      assert.equal(code, 0)
      assert.equal(
        out,
        `TARGET           DESCRIPTION
base             what the others need

last (default)
`,
      )
    })

    it('is JSON', async () => {
      const { out } = await run(
        'FROM --platform=$BUILDPLATFORM a AS B\n',
        '--call=targets,format=json',
      )
      const [target] = JSON.parse(out).targets
      assert.deepEqual(
        { ...target, location: undefined },
        { name: 'b', default: true, base: 'a', platform: '$BUILDPLATFORM', location: undefined },
      )
    })

    it('of a wrong file are not listed', async () => {
      assert.equal((await run('FROM a AS b\nBOGUS\n', '--call=targets')).code, 1)
    })
  })

  it('describes itself', async () => {
    const { code, out } = await run('FROM scratch\n', '--call=subrequests.describe')
    assert.equal(code, 0)
    assert.match(out, /^NAME {17}VERSION DESCRIPTION\nsubrequests\.describe 1\.0\.0 {3}/)
    const described = await run('FROM scratch\n', '--call=subrequests.describe,format=json')
    assert.deepEqual(
      JSON.parse(described.out).map(({ name }: { name: string }) => name),
      ['subrequests.describe', 'lint', 'outline', 'targets'].map((name) => `frontend.${name}`),
    )
  })

  const WRONG: readonly (readonly [readonly string[], string])[] = [
    [
      ['--call=chekc'],
      'ERROR: unknown request "chekc" in --call (USAGE)\nhint: did you mean check?',
    ],
    [['--call=check,outline'], 'ERROR: invalid value for --call: check,outline (USAGE)'],
    [['--call=check,format=xml'], 'ERROR: invalid setting "format=xml" in --call (USAGE)'],
    [['--call=check,x=y'], 'ERROR: invalid setting "x=y" in --call (USAGE)'],
    [['--call=targets,format=sarif'], 'ERROR: only checks can be written as SARIF (USAGE)'],
    [['--check', '--call=outline'], 'ERROR: --check and --call outline ask for different things'],
  ]
  for (const [flags, message] of WRONG) {
    it(`refuses ${flags.join(' ')}`, async () => {
      const { code, err } = await run('FROM scratch\n', ...flags)
      assert.equal(code, 1)
      assert.ok(err.startsWith(message), err)
    })
  }
})
