import assert from 'node:assert/strict'
import { type CacheFilter, parseCacheFilter, unmatchedFilters } from '#builder/plan'
import { parseDockerfile } from '#parser'
import { isFilteredBy } from '../../../../builder/plan/stage/cache-filter.ts'

const DOCKERFILE = `
FROM scratch AS build
WORKDIR /src
COPY --chown=1:1 a b /src/
RUN --mount=type=cache,target=/var/cache/apt \\
    # a comment
    apt-get   update && \\
    apt-get install make
RUN ["make", "All"]
ENV RUN=1
FROM scratch
RUN make test
ADD a /
FROM scratch AS build-docs
run <<EOF
apt-get update
EOF
`

/** Lines on which an instruction stands that the filter names. */
function linesOf(filter: CacheFilter): readonly number[] {
  return parseDockerfile(DOCKERFILE).dockerfile.stages.flatMap((stage) =>
    stage.instructions
      .filter((one) => one.kind !== 'env' && isFilteredBy(filter, stage, one))
      .map(({ range }) => range.start.line),
  )
}

const CASES: readonly (readonly [filter: string, lines: readonly number[]])[] = [
  ['build', [3, 4, 5, 9]],
  ['BUILD', [3, 4, 5, 9]],
  ['1', [12, 13]],
  ['build*', [3, 4, 5, 9, 15]],
  ['*', [3, 4, 5, 9, 12, 13, 15]],
  ['build:RUN', [5, 9]],
  ['build:run', [5, 9]],
  [':RUN', [5, 9, 12, 15]],
  ['*:RUN', [5, 9, 12, 15]],
  ['*: add ', [13]],
  ['build:RUN apt-get*', [5]],
  ['build:RUN apt-get update && apt-get install make', [5]],
  ['build:RUN apt-get update', []],
  ['build:RUN --mount=type=cache*', [5]],
  ['build:*make*', [5, 9]],
  ['build:RUN ["make",*', [9]],
  [':RUN make ????', [12]],
  [':RUN make ???', []],
  [':COPY a b /src/', [4]],
  [':COPY --chown=1:1 a*', [4]],
  [':COPY a b', []],
  [':RUN <<EOF', [15]],
  [':ENV', []],
  ['none', []],
]

describe('filters of steps without the cache', () => {
  for (const [text, lines] of CASES) {
    it(text, () => assert.deepEqual(linesOf(parseCacheFilter(text)), lines))
  }

  it('takes no longer for many stars', () => {
    const { stages } = parseDockerfile(`FROM scratch\nRUN ${'a'.repeat(20_000)}`).dockerfile
    const started = performance.now()
    const filter = parseCacheFilter(`:RUN ${'a*'.repeat(50)}b`)
    assert.equal(unmatchedFilters([filter], stages).length, 1)
    assert.ok(performance.now() - started < 5000)
  })

  it('says what a filter names in vain, and what there is', () => {
    const { stages } = parseDockerfile(DOCKERFILE).dockerfile
    const filters = ['biuld', '3', 'build', 'build:ADD', 'build:COPPY', '1:RUN', '1:copy'].map(
      parseCacheFilter,
    )
    assert.deepEqual(unmatchedFilters(filters, stages), [
      'no stage is called biuld: its results are looked up as usual (did you mean build?)',
      'no stage is called 3: its results are looked up as usual (there are build, 1, build-docs)',
      'no step matches build:ADD: all results are looked up as usual (there are WORKDIR, COPY, RUN)',
      'no step matches build:COPPY: all results are looked up as usual (did you mean COPY?)',
      'no step matches 1:copy: all results are looked up as usual (there are RUN, ADD)',
    ])
    const metadata = parseDockerfile('FROM scratch AS x\nENV a=b').dockerfile.stages
    assert.deepEqual(unmatchedFilters([parseCacheFilter('x:RUN')], metadata), [
      'no step matches x:RUN: all results are looked up as usual (there are none)',
    ])
  })

  it('refuses filters without an instruction', () => {
    for (const text of ['', ' ', 'build:', ':', 'build: ']) {
      assert.throws(() => parseCacheFilter(text), { code: 'USAGE' }, text)
    }
  })
})
