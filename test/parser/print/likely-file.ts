import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import {
  type Dockerfile,
  formatDockerfile,
  normalForm,
  parseDockerfile,
  printDockerfile,
} from '#parser'
import { casesIn } from '../../support/golden/index.ts'
import { FIXTURES, withoutPositions } from '../fixtures.ts'

const corpus = casesIn(FIXTURES).map((name) =>
  readFileSync(`${FIXTURES}/${name}/Dockerfile`, 'utf8'),
)

/** The AST of a text without mistakes, `undefined` of any other. */
function parse(source: string): Dockerfile | undefined {
  const { dockerfile, diagnostics } = parseDockerfile(source)
  return diagnostics.some(({ severity }) => severity === 'error') ? undefined : dockerfile
}

/** The normal form without line numbers; AS may change its case. */
function meaningOf(source: string): string {
  const isPlace = (key: string): boolean => key === 'line' || key === 'endLine'
  const form = normalForm(parseDockerfile(source))
  const text = JSON.stringify(form, (key, value) => (isPlace(key) ? undefined : value))
  return text.replace(/"as"/gi, '"AS"')
}

/** That a Dockerfile comes back as it was when it is printed; false for what is none. */
export function checkPrinting(source: string): boolean {
  const dockerfile = parse(source)
  if (dockerfile === undefined) return false
  const printed = printDockerfile(dockerfile)
  const again = parse(printed)
  assert.ok(again !== undefined, `prints ${JSON.stringify(printed)}`)
  assert.deepEqual(withoutPositions(again), withoutPositions(dockerfile), JSON.stringify(printed))
  const formatted = formatDockerfile(dockerfile)
  const second = parse(formatted)
  assert.ok(second !== undefined, `formats as ${JSON.stringify(formatted)}`)
  assert.equal(formatDockerfile(second), formatted)
  assert.equal(meaningOf(formatted), meaningOf(source))
  return true
}

/** Text that means something in the words of an instruction, or nearly does. */
const word = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        'bc',
        '=',
        '$x',
        '\\',
        '`',
        '"',
        "'",
        '[',
        ']',
        ',',
        '<<E',
        '<<-E',
        '<<',
        '#',
        '--',
        '--from=a',
      ],
      ...[
        '\u00a0',
        '\v',
        '\f',
        '\t',
        ' ',
        '  ',
        'é',
        '\\\n',
        '`\n',
        '\\ \n# c\n',
        '\\\n\n',
        '["a", "b"]',
        '"q r"',
      ],
    ),
    { minLength: 1, maxLength: 7 },
  )
  .map((parts) => parts.join(''))

const instruction = fc
  .tuple(
    fc.constantFrom(
      ...[
        'RUN',
        'run',
        'COPY',
        'ADD',
        'ENV',
        'LABEL',
        'ARG',
        'CMD',
        'ENTRYPOINT',
        'SHELL',
        'VOLUME',
      ],
      ...[
        'EXPOSE',
        'USER',
        'WORKDIR',
        'MAINTAINER',
        'STOPSIGNAL',
        'HEALTHCHECK CMD',
        'ONBUILD RUN',
      ],
      ...[
        'ONBUILD COPY',
        'COPY --link',
        'COPY --chown="a"',
        'RUN --mount=type=bind,from=x',
        'ONBUILD ENV',
      ],
      ...[
        '\\\n# c\nRUN',
        'RU\\\nN',
        'COPY x',
        'ENV k=v',
        'HEALTHCHECK --retries=1 CMD',
        'CMD ["a",',
        'FROM',
      ],
    ),
    fc.constantFrom(' ', '  ', '\t', ' -- ', ' \\\n', ' \\\n # c\n  ', ' `\n'),
    fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' ')),
  )
  .map((parts) => parts.join(''))

const line = fc.oneof(
  { weight: 6, arbitrary: instruction },
  fc.constantFrom(
    '',
    '# comment',
    '#',
    '  #x=y',
    '# escape=`',
    '# check=skip=all',
    '#!sh',
    'E',
    '\tE',
  ),
)

/** A Dockerfile, or nearly one. */
export const likelyFile: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      '',
      '# escape=`\n',
      '# syntax=docker/dockerfile:1\n',
      '\n',
      '#!x\n# syntax=docker/dockerfile:1\n',
      ' #!x\n',
    ),
    fc.array(line, { minLength: 1, maxLength: 3 }),
    fc.array(line, { maxLength: 4 }),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([head, first, lines, newline]) => {
    const text = `${head}${first.filter((each) => each.startsWith('#') || each === '').join('\n')}\nFROM a\n`
    return (text + lines.join('\n')).replaceAll('\n', newline)
  })

/** A file of the corpus with some pieces put in or taken out. */
export const changedText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(fc.tuple(fc.nat(3000), fc.nat(3), word), { maxLength: 4 }),
  )
  .map(([text, edits]) =>
    edits.reduce((result, [place, cut, piece]) => {
      const at = place % (result.length + 1)
      return result.slice(0, at) + piece + result.slice(at + cut)
    }, text),
  )
