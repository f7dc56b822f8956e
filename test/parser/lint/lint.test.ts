import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { parsePlatform } from '#core'
import {
  type CheckedBase,
  type CheckOptions,
  checkDockerfile,
  parseDockerfile,
  RULES,
} from '#parser'
import { kebabName } from '../../support/golden/index.ts'

/** One file a rule and some more: `=== title | option | …`, a Dockerfile, `---`, what is found. */
const FOLDER = fileURLToPath(new URL('../../../../fixtures/lint', import.meta.url))
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))

interface Case {
  readonly title: string
  readonly options: CheckOptions
  readonly dockerfile: string
  readonly expected: string
}

function casesIn(file: string): readonly Case[] {
  const blocks = readFileSync(`${FOLDER}/${file}`, 'utf8').split(/^=== /m).slice(1)
  return blocks.map((block) => {
    const end = block.indexOf('\n')
    const [title = '', ...options] = block.slice(0, end).split(' | ')
    const [dockerfile = '', expected = ''] = block.slice(end + 1).split(/^---\n/m)
    return { title, options: optionsOf(options), dockerfile, expected }
  })
}

function optionsOf(texts: readonly string[]): CheckOptions {
  const values = (name: string): readonly string[] =>
    texts.filter((text) => text.startsWith(`${name} `)).map((text) => text.slice(name.length + 1))
  const base: CheckedBase = {
    image: 'base',
    env: values('base-env'),
    hasShell: texts.includes('base-shell'),
    expected: parsePlatform('linux/amd64'),
    actual: parsePlatform(values('base-platform')[0] ?? 'linux/amd64'),
  }
  return {
    buildArgs: Object.fromEntries(
      values('build-arg').map((text) => {
        const equals = text.indexOf('=')
        return [text.slice(0, equals), text.slice(equals + 1)]
      }),
    ),
    dockerignore: values('ignore').join('\n'),
    target: values('target')[0],
    ...(texts.includes('base-unknown') ? {} : { baseOf: () => base }),
  }
}

function report(dockerfile: string, options: CheckOptions): string {
  const { warnings, error } = checkDockerfile(dockerfile, options)
  const lines = warnings.map(({ rule, message, range }) => {
    return `${range.start.line} ${rule}: ${message}\n`
  })
  return lines.join('') + (error === undefined ? '' : `error ${error.message}\n`)
}

describe('checkDockerfile', () => {
  for (const file of FILES) {
    describe(file, () => {
      for (const { title, options, dockerfile, expected } of casesIn(file)) {
        it(title, () => assert.equal(report(dockerfile, options), expected))
      }
    })
  }

  it('has cases with and without a finding for every rule', () => {
    assert.ok(RULES.size >= 22)
    for (const name of RULES.keys()) {
      const cases = casesIn(`${kebabName(name)}.txt`)
      assert.ok(
        cases.some(({ expected }) => expected.includes(` ${name}: `)),
        `${name} fires`,
      )
      assert.ok(
        cases.some(({ expected }) => !expected.includes(name)),
        `${name} is silent`,
      )
    }
  })

  it('gives each warning its description, its page and the range of the instruction', () => {
    const { warnings } = checkDockerfile('FROM scratch\n  CMD a \\\n  b\n')
    assert.deepEqual(warnings, [
      {
        rule: 'JSONArgsRecommended',
        message:
          'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
        description: 'CMD and ENTRYPOINT as JSON arrays get signals themselves',
        url: 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
        range: { start: { line: 2, column: 3 }, end: { line: 3, column: 4 } },
      },
    ])
  })

  it('reports a warning as soon as it is found', () => {
    const reported: string[] = []
    checkDockerfile('FROM a as b\nCMD c\n', { onWarning: ({ rule }) => void reported.push(rule) })
    assert.deepEqual(reported, ['FromAsCasing', 'JSONArgsRecommended'])
  })

  it('refuses settings that cannot be understood', () => {
    const buildArgs = { BUILDKIT_DOCKERFILE_CHECK: 'nonsense' }
    assert.throws(() => checkDockerfile('FROM a', { buildArgs }), {
      code: 'USAGE',
      message:
        'failed to parse build-arg:BUILDKIT_DOCKERFILE_CHECK: invalid check option "nonsense"',
    })
  })

  it('takes anything that looks like a Dockerfile', () => {
    const words = fc.constantFrom(
      ...['FROM', 'from', 'ARG', 'ENV', 'COPY', 'RUN', 'EXPOSE', 'WORKDIR', 'ONBUILD', 'AS'],
      ...['scratch', 'a', '$A', '${A:-', '}', '=', 'A=$B', '"', '--platform=$A', '--from=0'],
      ...['--mount=type=cache,target=$A', '80/TCP', '::', '/', '<<X', 'X', '#', 'check=skip=all'],
      ...['\n', '\\\n', ' ', '[]', '["a"]', '\u0000', '\u{1f600}'],
    )
    const texts = fc.array(words, { maxLength: 60 }).map((parts) => parts.join(' '))
    fc.assert(
      fc.property(texts, (text) => {
        const { warnings, error } = checkDockerfile(`FROM scratch\n${text}`, {
          buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'experimental=all' },
          dockerignore: 'a',
          baseOf: () => undefined,
        })
        assert.ok(error === undefined || error.message !== '')
        for (const { range } of warnings) assert.ok(range.start.line >= 1)
      }),
      { numRuns: 300 },
    )
  })

  it('keeps to the first thousand warnings, in linear time', () => {
    const lines = Array.from({ length: 8000 }, (_, index) => `ENV token${index} $x${index}`)
    const text = `FROM scratch\n${lines.join('\n')}\n`
    parseDockerfile(text)
    const started = performance.now()
    assert.equal(checkDockerfile(text).warnings.length, 1000)
    assert.ok(performance.now() - started < 2000)
  })
})
