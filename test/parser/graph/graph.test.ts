import assert from 'node:assert/strict'
import {
  expandWord,
  type InstructionGraph,
  linkStages,
  parseDockerfile,
  SourceError,
} from '#parser'

interface Build {
  readonly target?: string
  readonly args?: Readonly<Record<string, string>>
}

function link(text: string, { target, args = {} }: Build = {}): InstructionGraph {
  const { dockerfile, diagnostics } = parseDockerfile(text)
  assert.deepEqual(diagnostics, [])
  return linkStages(dockerfile, {
    target,
    expand: (word) => expandWord(word.raw, { lookup: (name) => args[name] }),
  })
}

/** `index:base(sources)` of every stage that is left, the target marked. */
function show(graph: InstructionGraph): string {
  const name = (ref: { readonly kind: string; readonly index?: number; readonly name?: string }) =>
    ref.index ?? ref.name ?? ref.kind
  return graph.stages
    .map((linked) => {
      const sources = [...linked.sources].map(([{ raw }, ref]) => `${raw}=${name(ref)}`)
      const mark = linked === graph.target ? '*' : ''
      return `${linked.stage.index}${mark}:${name(linked.base)}(${sources.join(' ')})`
    })
    .join(' ')
}

function failure(text: string, build?: Build): SourceError {
  try {
    link(text, build)
  } catch (error) {
    if (error instanceof SourceError) return error
    throw error
  }
  return assert.fail('it should have been refused')
}

const CHAIN = `FROM debian AS build
FROM alpine AS unused
FROM build AS test
FROM scratch
COPY --from=build a b
COPY --from=BUILD a b
COPY --from=0 a b
COPY --from=nginx:1 a b
COPY --from=scratch a b
`

describe('linkStages', () => {
  it('resolves names in any case, numbers, images and nothing', () => {
    const sources = 'build=0 BUILD=0 0=0 nginx:1=nginx:1 scratch=scratch'
    assert.equal(show(link(CHAIN)), `0:debian() 3*:scratch(${sources})`)
  })

  it('keeps what the target needs, in file order', () => {
    assert.equal(show(link(CHAIN, { target: 'Test' })), '0:debian() 2*:0()')
    assert.equal(show(link(CHAIN, { target: 'unused' })), '1*:alpine()')
    const { unused } = link(CHAIN, { target: 'unused' })
    assert.deepEqual(
      unused.map(({ stage, base }) => [stage.index, base.kind]),
      [
        [0, 'image'],
        [2, 'stage'],
        [3, 'scratch'],
      ],
    )
  })

  it('takes the number of a stage for COPY, not for a mount', () => {
    const text = 'FROM x\nFROM y\nRUN --mount=from=0,target=/z true\n'
    assert.equal(show(link(text)), '1*:y(from=0,target=/z=0)')
    assert.deepEqual([...link(text).target.sources.values()], [{ kind: 'image', name: '0' }])
    const both = link(`${text}COPY --from=0 a b\nRUN --mount=from=0,target=/y true\n`)
    const [first, copied, last] = both.target.sources.values()
    assert.deepEqual([first?.kind, copied, last], ['image', { kind: 'stage', index: 0 }, first])
    const huge = 'FROM x\nCOPY --from=99999999999999999999 a b\n'
    assert.deepEqual(
      [...link(huge).target.sources.values()],
      [{ kind: 'image', name: '99999999999999999999' }],
    )
  })

  it('follows mounts', () => {
    const text = `FROM a AS one
FROM b AS two
RUN --mount=type=bind,from=one,target=/x --mount=from=busybox,target=/y --mount=type=tmpfs,target=/z true
`
    assert.equal(
      show(link(text)),
      '0:a() 1*:b(type=bind,from=one,target=/x=0 from=busybox,target=/y=busybox)',
    )
  })

  it('expands names and platforms with the arguments of the FROM lines', () => {
    const text = `FROM --platform=$P \${BASE:-debian}:12 AS x\nFROM $X\n`
    const graph = link(text, { args: { P: 'linux/arm64', X: 'x' } })
    assert.equal(show(graph), '0:debian:12() 1*:0()')
    assert.equal(graph.stages[0]?.platform, 'linux/arm64')
    assert.equal(graph.stages[1]?.platform, undefined)
  })

  it('takes FROM for a stage only when that is above and written exactly so', () => {
    assert.equal(show(link('FROM b AS a\nFROM a AS b\n')), '0:b() 1*:0()')
    assert.equal(show(link('FROM x AS build\nFROM Build\n')), '1*:Build()')
    assert.equal(show(link('FROM a AS a\n')), '0*:a()')
  })

  it('lets later stages of the same name shadow earlier ones', () => {
    const text = 'FROM x AS a\nFROM y AS a\nFROM a\nCOPY --from=a . .\n'
    assert.equal(show(link(text)), '1:y() 2*:1(a=1)')
    assert.equal(show(link(text, { target: 'a' })), '1*:y()')
  })

  it('is a pure function: a changed Dockerfile can be linked again', () => {
    const { dockerfile } = parseDockerfile('FROM a AS one\nFROM b AS two\n')
    const expand = ({ raw }: { readonly raw: string }): string => raw
    assert.equal(show(linkStages(dockerfile, { expand })), '1*:b()')
    const copy = parseDockerfile('FROM x\nCOPY --from=one a b\n').dockerfile.stages[0]
    const instructions = copy?.instructions ?? []
    const stages = dockerfile.stages.map((stage) => ({ ...stage, instructions }))
    const spliced = { ...dockerfile, stages: [dockerfile.stages[0], stages[1]] }
    const whole = { ...spliced, stages: spliced.stages.filter((stage) => stage !== undefined) }
    assert.equal(show(linkStages(whole, { expand })), '0:a() 1*:b(one=0)')
  })

  it('survives very many stages', () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => `FROM s${index} AS s${index + 1}\n`)
    assert.equal(link(chain.join('')).stages.length, 20_000)
  })
})

describe('linkStages: mistakes', () => {
  it('refuses an unknown target', () => {
    const { message, code, ranges, hint } = failure(CHAIN, { target: 'tets' })
    assert.equal(message, 'target stage "tets" could not be found (did you mean test?)')
    assert.deepEqual({ code, ranges }, { code: 'USAGE', ranges: [] })
    assert.equal(hint, 'the stages are: build, unused, test')
    assert.equal(failure('FROM a\n', { target: '0' }).code, 'USAGE')
  })

  it('refuses blank names and platforms', () => {
    const blank = failure(`FROM $\{X}\n`)
    assert.equal(blank.message, `base name ($\{X}) should not be blank`)
    assert.deepEqual(blank.ranges[0]?.start, { line: 1, column: 6 })
    const platform = failure('FROM --platform=$X a\n')
    assert.equal(platform.message, 'empty platform value from expression $X')
  })

  it('refuses numbers of stages that do not exist', () => {
    const error = failure('FROM a\nCOPY --from=7 a b\n')
    assert.equal(error.message, 'invalid stage index 7')
    assert.deepEqual(error.ranges[0]?.start, { line: 2, column: 13 })
    assert.equal(failure('FROM a\nCOPY --from=-1 a b\n').message, 'invalid stage index -1')
  })

  it('refuses circles and shows every line of them', () => {
    const error = failure(`FROM x AS a
COPY --from=c . .
FROM a AS b
FROM x AS c
RUN --mount=from=b,target=/b true
`)
    assert.equal(error.message, 'circular dependency detected on stage: a')
    assert.deepEqual(
      error.ranges.map(({ start }) => start.line),
      [2, 5, 3],
    )
    const self = failure('FROM x\nFROM y\nCOPY --from=1 . .\n')
    assert.equal(self.message, 'circular dependency detected on stage: stage-1')
  })

  it('refuses to copy or mount from a later stage, if the target needs it', () => {
    const text = 'FROM x AS a\nCOPY --from=b . .\nFROM y AS b\n'
    assert.equal(show(link(text)), '1*:y()')
    const copy = failure(text, { target: 'a' })
    assert.equal(
      copy.message,
      'cannot copy from stage "b", it needs to be defined before current stage "a"',
    )
    assert.deepEqual(
      copy.ranges.map(({ start }) => start.line),
      [2, 3],
    )
    const mount = failure('FROM x AS a\nRUN --mount=from=b,dst=/b true\nFROM y AS b\n', {
      target: 'a',
    })
    assert.equal(
      mount.message,
      'cannot mount from stage "b" to "/b", stage needs to be defined before current command',
    )
  })
})
