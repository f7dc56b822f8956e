import type { BuildCheck } from '#builder'
import { excerpt, SourceError, sourceLines } from '#parser'
import { cleanLine } from '../terminal/text.ts'
import { chainMessage } from './error-report.ts'
import { sourceLocation } from './source-location.ts'

/** What the checks have found, for people: in the order of the lines, with an excerpt each. */
export function checkText({ warnings, source, error }: BuildCheck): string {
  if (warnings.length === 0)
    return error === undefined ? 'Check complete, no warnings found.\n' : ''
  const count =
    warnings.length === 1
      ? '1 warning has been found!'
      : `${warnings.length} warnings have been found!`
  const sorted = warnings.toSorted((a, b) => a.range.start.line - b.range.start.line)
  const text = sourceLines(source.text)
  const blocks = sorted.map(({ rule, url, message, range }) => {
    const shown = excerpt(text, range, source.filename)
    const head = url === undefined ? rule : `${rule} - ${url}`
    return ['', `WARNING: ${head}`, message, ...shown.split('\n').slice(0, -1)]
  })
  const lines = [`Check complete, ${count}`, ...blocks.flat()]
  return lines.map((line) => `${cleanLine(line)}\n`).join('')
}

/** The same for programs, in BuildKit's form. */
export function checkJson({ warnings, source, error }: BuildCheck): string {
  const document = {
    warnings: warnings.map(({ rule, description, url, message, range }) => ({
      ruleName: rule,
      description,
      url,
      detail: message,
      location: sourceLocation([range]),
    })),
    sources: [
      {
        filename: source.filename,
        language: 'Dockerfile',
        data: Buffer.from(source.text).toString('base64'),
      },
    ],
    buildError: error && {
      message: chainMessage(error),
      location: sourceLocation(error instanceof SourceError ? error.ranges : []),
    },
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
