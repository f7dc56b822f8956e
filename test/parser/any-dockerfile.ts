import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { TsbuildError } from '#core'
import { diagnosticsError, linkStages, parseDockerfile, type SourceRange } from '#parser'
import { casesIn } from '../support/golden/index.ts'
import { FIXTURES } from './fixtures.ts'

/** Dockerfiles of programs, and of every case here. */
const corpus = [
  ...['app', 'hello', 'e2e/corners'].map((name) => `${FIXTURES}/../${name}/Dockerfile`),
  ...casesIn(FIXTURES).map((name) => `${FIXTURES}/${name}/Dockerfile`),
  ...casesIn(`${FIXTURES}/invalid`).map((name) => `${FIXTURES}/invalid/${name}/Dockerfile`),
].map((file) => readFileSync(file))

const PIECES = [
  ...['FROM ', 'RUN ', 'COPY ', 'ENV ', 'ARG ', 'ONBUILD ', 'HEALTHCHECK ', 'SHELL ', 'LABEL '],
  ...[
    '\n',
    '\\\n',
    '`\n',
    '\r\n',
    '# escape=`\n',
    '#',
    '<<EOF',
    '<< ',
    '<<-"A B"',
    'EOF',
    '--',
    '--from=',
  ],
  ...[
    '["a", "b"]',
    '[',
    ']',
    '"',
    "'",
    '\\',
    '$x',
    `$\{x:-y}`,
    '=',
    ' ',
    '\t',
    '\u00a0',
    '\0',
    '🙂',
  ],
  ...['--mount=type=bind,from=0', 'CMD', 'NONE', 'AS b', 'a', 'scratch', '\ufeff', '\ud800'],
]

/** Text of what means something in a Dockerfile. */
export const mixedText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 60 })
  .map((parts) => parts.join(''))

/** A file of the corpus with some bytes changed, removed or doubled. */
export const changedFile: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(fc.tuple(fc.nat(5000), fc.nat(255), fc.nat(2)), { maxLength: 8 }),
  )
  .map(([bytes, edits]) => {
    let result: Uint8Array = bytes.subarray(0, 5000)
    for (const [place, value, kind] of edits) {
      const at = place % (result.length + 1)
      const cut = kind === 0 ? at + 1 : at
      const repeated = kind === 2 ? result.subarray(at, at + value) : Uint8Array.of(value)
      result = Buffer.concat([result.subarray(0, at), repeated, result.subarray(cut)])
    }
    return result
  })

/** That it is parsed, without an exception and with places that lie in it. */
export function checkParsing(source: string | Uint8Array): void {
  const { dockerfile, diagnostics } = parseDockerfile(source)
  const shown = typeof source === 'string' ? source : new TextDecoder().decode(source)
  const lines = shown.split('\n').length
  assert.ok(diagnostics.every(({ message }) => !message.includes('mistake in tsbuild')))
  for (const { range, message } of diagnostics) {
    assert.ok(isInside(range, lines), `range of ${message}`)
  }
  const error = diagnosticsError(diagnostics, { filename: 'x', text: shown })
  error?.excerpt()
  for (const { instructions } of dockerfile.stages) {
    for (const { range } of instructions) assert.ok(isInside(range, lines))
  }
  try {
    linkStages(dockerfile, { expand: ({ raw }) => raw })
  } catch (cause) {
    assert.ok(cause instanceof TsbuildError)
  }
}

function isInside({ start, end }: SourceRange, lines: number): boolean {
  const isOrdered = start.line < end.line || (start.line === end.line && start.column <= end.column)
  return isOrdered && start.line >= 1 && start.column >= 1 && end.line <= lines
}
