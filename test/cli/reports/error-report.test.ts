import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ioError, TsbuildError } from '#core'
import { diagnosticsError, SourceError, type SourceFile, type SourceRange } from '#parser'
import { chainMessage } from '../../../buildkit/reports/error-chain.ts'
import { FailedSteps } from '../../../cli/progress/failed-steps.ts'
import { errorText, reportError } from '../../../cli/reports/error-report.ts'
import { fakeShell } from '../support/fake-shell.ts'

const SOURCE: SourceFile = {
  filename: 'Dockerfile',
  text: 'FROM alpine\n\nCOPY missing /x\nRUN true\n\n',
}

function range(line: number, from: number, to: number): SourceRange {
  return { start: { line, column: from }, end: { line, column: to } }
}

async function reported(error: unknown, env: Readonly<Record<string, string>> = {}) {
  const shell = fakeShell({ env })
  await reportError(error, shell)
  assert.equal(shell.out(), '')
  return shell.err()
}

describe('an error report', () => {
  it('shows the lines of the Dockerfile, the whole story and a hint', async () => {
    const cause = new TsbuildError('"/missing": not found', {
      code: 'NOT_FOUND',
      hint: 'look at .dockerignore',
    })
    const ranges = [range(3, 6, 13)]
    const error = new SourceError('copy files', {
      code: 'NOT_FOUND',
      cause,
      ranges,
      source: SOURCE,
    })
    assert.equal(
      await reported(error),
      `Dockerfile:3
--------------------
   1 |     FROM alpine
   2 |     
   3 | >>> COPY missing /x
     |          ^^^^^^^
   4 |     RUN true
   5 |     
--------------------
ERROR: copy files: "/missing": not found (NOT_FOUND)
hint: look at .dockerignore
`,
    )
  })

  it('counts further findings up', async () => {
    const range3 = range(3, 1, 5)
    const error = diagnosticsError(
      [
        {
          severity: 'error',
          code: 'instruction',
          message: 'unknown instruction: COBY',
          range: range3,
        },
        { severity: 'error', code: 'instruction', message: 'a\tb', range: range(4, 1, 3) },
      ],
      SOURCE,
    )
    const lines = (await reported(error)).split('\n')
    assert.deepEqual(lines.slice(-4), [
      '--------------------',
      'ERROR: dockerfile parse error on line 3: unknown instruction: COBY (DOCKERFILE_INVALID)',
      '  and on line 4: a       b',
      '',
    ])
  })

  it('has no excerpt where there is no source', async () => {
    const error = new TsbuildError('push x: refused', { code: 'REGISTRY_DENIED' })
    assert.equal(await reported(error), 'ERROR: push x: refused (REGISTRY_DENIED)\n')
  })

  it('never says the same twice', () => {
    const io = new Error('ENOENT: no such file')
    const error = new TsbuildError(`read x: ${io.message}`, { code: 'IO_FAILED', cause: io })
    assert.equal(chainMessage(error), 'read x: ENOENT: no such file')
    assert.equal(chainMessage(new Error('a', { cause: new Error('b') })), 'a: b')
    let missing: unknown
    try {
      readFileSync('/nonexistent/file')
    } catch (cause) {
      missing = cause
    }
    const explained = new TsbuildError('open x: no such file or directory', {
      code: 'NOT_FOUND',
      cause: missing,
    })
    assert.equal(chainMessage(explained), 'open x: no such file or directory')
    const silent = new TsbuildError('open x', { code: 'NOT_FOUND', cause: missing })
    assert.match(chainMessage(silent), /^open x: ENOENT: no such file or directory, open/)
    const loop = new Error('loop')
    loop.cause = loop
    assert.equal(chainMessage(loop), 'loop')
    assert.equal(chainMessage(new Error('a', { cause: 'Error: a\n    at worker.js:1' })), 'a')
    assert.equal(chainMessage('thrown'), 'thrown')
    assert.equal(chainMessage(new RangeError('')), 'RangeError')
    assert.equal(chainMessage(undefined), 'unknown error')
  })

  it('keeps hostile text harmless', async () => {
    const error = new SourceError('run \x1b[2J\nsecond\u202e', {
      code: 'STEP_FAILED',
      hint: '\x1b]0;x\x07do this',
      ranges: [range(1, 1, 2)],
      source: { filename: 'Docker\x1b[1mfile', text: 'RUN \x1b[31m\u202ex\n' },
    })
    assert.doesNotMatch((await reported(error)).replaceAll('\n', ''), /[\p{Cc}\u202e]/u)
  })

  it('shows a stack trace for bugs only, and only when asked', async () => {
    const bug = new TypeError('x is not a function')
    const plain = await reported(bug)
    assert.match(plain, /^ERROR: x is not a function\nthis is a bug in tsbuild: please report/)
    assert.doesNotMatch(plain, / at /)
    const debug = await reported(bug, { TSBUILD_DEBUG: '1' })
    assert.match(
      debug,
      /^ERROR: x is not a function\nthis is a bug in tsbuild\nTypeError: x is not a function\n {4}at /,
    )
    const known = new TsbuildError('no', { code: 'USAGE' })
    assert.doesNotMatch(await reported(known, { TSBUILD_DEBUG: '1' }), / at /)
  })

  it('says once what a system call failed with, also where Node knows its number only', () => {
    const text = 'UNKNOWN: unknown error, write'
    const cause = Object.assign(new Error(text), { code: 'UNKNOWN', errno: -122 })
    const error = ioError('write x', cause)
    assert.equal(
      errorText(error, { source: undefined, debug: false }).split('\n')[0],
      'ERROR: write x: disk quota exceeded (NO_SPACE)',
    )
  })

  it('takes the first hint of the chain', () => {
    const inner = new TsbuildError('b', { code: 'IO_FAILED', hint: 'inner' })
    const middle = new Error('a', { cause: inner })
    const error = new TsbuildError('c', { code: 'NOT_FOUND', cause: middle })
    const text = errorText(error, { source: undefined, debug: false })
    assert.equal(text, 'ERROR: c: a: b (NOT_FOUND)\nhint: inner\n')
  })
})

describe('the report on failed steps', () => {
  it('shows the last ten lines of each step that failed, and of no other', () => {
    let now = 0
    const steps = new FailedSteps(() => now)
    const say = (vertex: string, text: string): void =>
      steps.handle({ type: 'log', vertex, stream: 'stderr', data: Buffer.from(text) })
    steps.handle({ type: 'started', vertex: 'a', name: '[2/3] RUN false' })
    steps.handle({ type: 'started', vertex: 'b', name: '[3/3] RUN true' })
    now = 312
    for (let i = 1; i <= 12; i += 1) say('a', `line ${i}\n`)
    say('b', 'fine\n')
    now = 12_345
    say('a', 'and the rest')
    steps.handle({ type: 'failed', vertex: 'a', message: 'exit code 1', milliseconds: 12_345 })
    steps.handle({ type: 'done', vertex: 'b', milliseconds: 1 })
    const lines = Array.from({ length: 9 }, (_, index) => `0.312 line ${index + 4}\n`).join('')
    assert.equal(
      steps.report(),
      `------\n > [2/3] RUN false:\n${lines}12.35 and the rest\n------\n`,
    )
  })

  it('is empty when nothing failed', () => {
    assert.equal(new FailedSteps(() => 0).report(), '')
  })
})
