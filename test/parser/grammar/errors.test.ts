import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { type Diagnostic, parseDockerfile } from '#parser'
import { FIXTURES } from '../fixtures.ts'

const FILE = `${FIXTURES}/errors.txt`

interface Case {
  readonly input: string
  readonly expected: string
}

/** Everything up to the first heading explains the table. */
const [preamble = '', ...sections] = readFileSync(FILE, 'utf8').split(/^(?=## )/m)

describe('errors.txt', () => {
  const written: string[] = [preamble]
  for (const section of sections) {
    const [heading = '', ...blocks] = section.trimEnd().split('\n\n')
    const cases = blocks.map(parseCase)
    written.push([heading, ...cases.map(writeCase)].join('\n\n'), '\n\n')
    describe(heading.slice(3), () => {
      it('has cases', () => assert.ok(cases.length > 0))
      for (const { input, expected } of cases) {
        it(input, () => assert.equal(findingsIn(input), expected))
      }
    })
  }
  if (process.env.UPDATE !== undefined) writeFileSync(FILE, `${written.join('').trimEnd()}\n`)
})

function parseCase(block: string): Case {
  const lines = block.split('\n')
  const isFinding = (line: string): boolean => /^ {2}[!?=]/.test(line)
  const input = lines.filter((line) => !isFinding(line)).join('\n')
  const expected = lines.filter(isFinding).join('\n')
  return { input, expected: process.env.UPDATE === undefined ? expected : findingsIn(input) }
}

function writeCase({ input, expected }: Case): string {
  return `${input}\n${expected}`
}

function findingsIn(input: string): string {
  const isWhole = /^(?:FROM\b|\{)/im.test(input)
  const { diagnostics } = parseDockerfile(isWhole ? input : `FROM a\n${input}`)
  return diagnostics.length === 0 ? '  =' : diagnostics.map(show).join('\n')
}

function show({ severity, range: { start, end }, message }: Diagnostic): string {
  const mark = severity === 'error' ? '!' : '?'
  return `  ${mark} ${start.line}:${start.column}-${end.line}:${end.column} ${message}`
}
