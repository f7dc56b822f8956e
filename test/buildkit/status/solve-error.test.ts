import assert from 'node:assert/strict'
import { RPC_STATUS } from '#buildkit/messages'
import { solveError } from '#buildkit/status'
import { type ErrorCode, TsbuildError } from '#core'
import { SourceError } from '#parser'
import type { SolveFailure } from '../../../buildkit/status/solve-error.ts'

interface Source {
  readonly info: { readonly filename: string; readonly data: string; readonly language: string }
  readonly ranges: readonly { readonly start: object; readonly end: object }[]
}

function detailsOf({ details }: SolveFailure): ReadonlyMap<string, unknown> {
  const decoded = RPC_STATUS.decode(details).details
  return new Map(decoded.map((one) => [one.type_url, JSON.parse(one.value.toString())]))
}

function sourceOf(failure: SolveFailure): Source | undefined {
  const name = 'github.com/moby/buildkit/errdefs.Source+json'
  return detailsOf(failure).get(name) as Source | undefined
}

function failureAt(text: string, ...lines: readonly number[]): SourceError {
  const ranges = lines.map((line) => ({
    start: { line, column: 1 },
    end: { line: line + 1, column: 4 },
  }))
  const source = { filename: 'Dockerfile', text }
  return new SourceError('it failed', { code: 'STEP_FAILED', ranges, source })
}

describe('a failed solve, for clients', () => {
  it('has the message, and the code that BuildKit has', () => {
    const codes = new Map<ErrorCode, number>([
      ['CANCELLED', 1],
      ['DOCKERFILE_INVALID', 2],
      ['STEP_FAILED', 2],
      ['NOT_FOUND', 2],
      ['USAGE', 2],
      ['NO_SPACE', 8],
      ['UNSUPPORTED', 12],
    ])
    for (const [code, number] of codes) {
      const failure = solveError(new TsbuildError('words', { code }))
      const message = code === 'CANCELLED' ? 'context canceled' : 'words'
      assert.deepEqual([failure.code, failure.message], [number, message])
      assert.partialDeepStrictEqual(RPC_STATUS.decode(failure.details), { code: number, message })
    }
  })

  it('of a bug has no stack', () => {
    const failure = solveError(new TypeError('x is not a function'))
    assert.equal(failure.code, 13)
    assert.doesNotMatch(failure.details.toString('latin1'), /solve-error/)
    assert.equal(solveError('thrown text').message, 'thrown text')
  })

  it('has the vertex that failed', () => {
    const failure = solveError(failureAt('FROM a', 1), { vertex: 'sha256:1' })
    const name = 'github.com/moby/buildkit/errdefs.Vertex+json'
    assert.deepEqual(detailsOf(failure).get(name), { digest: 'sha256:1' })
  })

  it('has the Dockerfile and the places in it', () => {
    const failure = solveError(failureAt('FROM a\nRUN \\\n x', 2, 1))
    assert.deepEqual(sourceOf(failure), {
      info: {
        filename: 'Dockerfile',
        data: Buffer.from('FROM a\nRUN \\\n x').toString('base64'),
        language: 'Dockerfile',
      },
      ranges: [
        { start: { line: 2 }, end: { line: 3 } },
        { start: { line: 1 }, end: { line: 2 } },
      ],
    })
  })

  it('has no place without one', () => {
    const place = { code: 'STEP_FAILED', ranges: [] } as const
    assert.equal(sourceOf(solveError(new SourceError('m', place))), undefined)
    const nowhere = { ...place, source: { filename: 'f', text: 'x' } }
    assert.equal(sourceOf(solveError(new SourceError('m', nowhere))), undefined)
  })

  it('fits into the trailers of a call, however long the Dockerfile and the message are', () => {
    const long = Array.from({ length: 20_000 }, (_, index) => `RUN ${index + 1}`)
    const lines = [...long.slice(0, 2000), 'x'.repeat(9000), ...long.slice(2000)]
    const texts = [lines.join('\n'), '\n'.repeat(1_000_000), `${'y'.repeat(100_000)}\n`.repeat(9)]
    for (const text of texts) {
      const { code, ranges, source } = failureAt(text, 1998)
      const message = '\u20ac'.repeat(100_000)
      const failure = solveError(new SourceError(message, { code, ranges, source }))
      const size =
        encodeURIComponent(failure.message).length + failure.details.toString('base64').length
      assert.ok(size < 60_000, `${size}`)
    }
    const many = Array.from({ length: 5000 }, (_, index) => index + 1)
    assert.equal(sourceOf(solveError(failureAt('a', ...many)))?.ranges.length, 16)
    const excerpt = sourceOf(solveError(failureAt(long.join('\n'), 1998)))
    const shown = Buffer.from(excerpt?.info.data ?? '', 'base64')
      .toString()
      .split('\n')
    assert.equal(shown[1997], 'RUN 1998')
  })
})
