import assert from 'node:assert/strict'
import {
  diagnosticsError,
  excerpt,
  parseDockerfile,
  SourceError,
  type SourceRange,
  sourceLines,
} from '#parser'

function range(line: number, column: number, endLine: number, endColumn: number): SourceRange {
  return { start: { line, column }, end: { line: endLine, column: endColumn } }
}

const TEXT = 'FROM alpine\n\nCOPY missing /x\nRUN true\n\nCMD x\n'

describe('excerpt', () => {
  it('shows two lines around one line, and carets under a part of it', () => {
    assert.equal(
      excerpt(TEXT, range(3, 6, 3, 13), 'Dockerfile'),
      `Dockerfile:3
--------------------
   1 |     FROM alpine
   2 |     ${''}
   3 | >>> COPY missing /x
     |          ^^^^^^^
   4 |     RUN true
   5 |     ${''}
--------------------
`,
    )
  })

  it('is the same of a file and of its lines', () => {
    const where = range(1, 6, 1, 12)
    const source = `\ufeff${TEXT}`
    assert.equal(excerpt(sourceLines(source), where, 'x'), excerpt(source, where, 'x'))
    assert.match(excerpt(source, where, 'x'), /^ {3}1 \| >>> FROM alpine$/m)
  })

  it('shows one line around several lines', () => {
    assert.equal(
      excerpt(TEXT, range(3, 1, 4, 9), 'x'),
      `x:3
--------------------
   2 |     ${''}
   3 | >>> COPY missing /x
   4 | >>> RUN true
   5 |     ${''}
--------------------
`,
    )
  })

  it('leaves out the carets under a whole line, and lines that are not there', () => {
    const shown = excerpt(TEXT, range(1, 1, 1, 12), 'x')
    assert.equal(
      shown,
      'x:1\n--------------------\n   1 | >>> FROM alpine\n   2 |     \n   3 |     COPY missing /x\n--------------------\n',
    )
  })

  it('leaves out what lies between ranges that are far apart', () => {
    const text = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`).join('\n')
    const shown = excerpt(text, [range(20, 1, 20, 8), range(2, 6, 2, 7)], 'x')
    const lines = shown.split('\n').map((line) => line.slice(0, 14))
    assert.deepEqual(lines.slice(2, -2), [
      '   1 |     lin',
      '   2 | >>> lin',
      '     |        ',
      '   3 |     lin',
      ' ... |',
      '  19 |     lin',
      '  20 | >>> lin',
      '  21 |     lin',
    ])
    assert.match(shown, /^x:2\n/)
  })

  it('shows no control characters, and long lines cut', () => {
    const text = `a\u001b[31mb\u0000\n\tx y\n${'z'.repeat(1000)}\r\n`
    const shown = excerpt(text, range(2, 4, 2, 5), 'x')
    assert.match(shown, /1 \| {5}a\ufffd\[31mb\ufffd\n/)
    assert.match(shown, /\| {5}\t {2}\^\n/)
    assert.match(shown, /z{400}…\n/)
  })

  it('is empty for a place that does not exist', () => {
    assert.equal(excerpt(TEXT, range(100, 1, 100, 2), 'x'), '')
    assert.equal(excerpt(TEXT, [], 'x'), '')
  })
})

describe('diagnosticsError', () => {
  const source = (text: string): { filename: string; text: string } => ({
    filename: 'Dockerfile',
    text,
  })

  it('stands for all errors, the first one in front', () => {
    const text = 'FORM alpine\nRUN --x y\n'
    const { diagnostics } = parseDockerfile(text)
    const error = diagnosticsError(diagnostics, source(text))
    assert.ok(error instanceof SourceError)
    assert.equal(
      error.message,
      'dockerfile parse error on line 1: unknown instruction: FORM (did you mean FROM?)',
    )
    assert.equal(error.code, 'DOCKERFILE_INVALID')
    assert.equal(error.diagnostics.length, 2)
    assert.match(error.excerpt(), /1 \| >>> FORM alpine\n {5}\| {5}\^\^\^\^\n/)
  })

  it('has the message of the error that BuildKit stops at: lines are split before instructions are checked', () => {
    const text = 'FORM alpine\nCMD [1]\n'
    const error = diagnosticsError(parseDockerfile(text).diagnostics, source(text))
    const message = 'when using JSON array syntax, arrays must be comprised of strings only'
    assert.equal(error?.message, message)
    assert.deepEqual(
      error.diagnostics.map(({ range: { start } }) => start.line),
      [2, 1],
    )
  })

  it('names no line for the file as a whole', () => {
    const error = diagnosticsError(parseDockerfile('').diagnostics, source(''))
    assert.equal(error?.message, 'the Dockerfile cannot be empty')
  })

  it('distinguishes unsupported instructions from mistakes', () => {
    const text = '# syntax=other/frontend\nFROM a\n'
    assert.equal(
      diagnosticsError(parseDockerfile(text).diagnostics, source(text))?.code,
      'UNSUPPORTED',
    )
  })

  it('is nothing when there are only warnings', () => {
    const { diagnostics } = parseDockerfile('FROM a\nRUN a \\\n\n b\n')
    assert.equal(diagnostics.length, 1)
    assert.equal(diagnosticsError(diagnostics, source('')), undefined)
  })
})

describe('SourceError', () => {
  it('can be given its file later, once', () => {
    const cause = new Error('why')
    const ranges = [range(3, 6, 3, 13)]
    const error = new SourceError('step failed', { code: 'STEP_FAILED', hint: 'h', cause, ranges })
    assert.equal(error.excerpt(), '')
    const known = error.in({ filename: 'Dockerfile', text: TEXT })
    assert.match(known.excerpt(), /^Dockerfile:3\n/)
    const { message, code, hint, stack, name } = known
    assert.deepEqual(
      { message, code, hint, stack, name, cause: known.cause },
      {
        message: 'step failed',
        code: 'STEP_FAILED',
        hint: 'h',
        stack: error.stack,
        name: 'SourceError',
        cause,
      },
    )
    assert.equal(known.in({ filename: 'other', text: '' }), known)
  })
})
