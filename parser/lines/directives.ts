import type { Directive } from '../ast/ast.ts'
import { isPatternSpace, isSpace, printable, skipWhile, trimSpace } from '../text/characters.ts'
import type { Diagnostic } from '../text/diagnostics.ts'
import type { Escape } from '../text/scan.ts'
import type { SourceRange } from '../text/source.ts'
import { parseCheckSettings } from './check-settings.ts'
import { foreignSyntax } from './syntax.ts'

/** The parser directives of a file, and what follows from them. */
export interface Directives {
  readonly directives: readonly Directive[]
  readonly escape: Escape
  /** True when the file asks for another frontend: it is probably not a Dockerfile. */
  readonly isForeign: boolean
}

/** How a file is read. */
export interface ParseOptions {
  /** Overrides the `syntax` directive. */
  readonly frontend?: 'built-in' | undefined
}

interface Found extends Directive {
  /** False behind white space, where only the line parser looks. */
  readonly isAtMargin: boolean
}

type Report = (diagnostic: Diagnostic) => void

/**
 * Reads the parser directives at the top of a file, up to the first other line. A first line that
 * makes the file a script is skipped, but `# escape=` behind it is an ordinary comment.
 * Spec: BuildKit's DirectiveParser and DetectSyntax
 */
export function readDirectives(
  source: string,
  report: Report,
  options: ParseOptions = {},
): Directives {
  const isScript = source.startsWith('#!')
  const found = isScript ? scriptDirectives(source) : fileDirectives(source, report)
  const counting = found.filter(({ isAtMargin }) => isAtMargin)
  const isChosen = options.frontend !== undefined
  const foreign = isChosen ? undefined : foreignSyntax(source, counting)
  if (foreign !== undefined) report(foreign)
  let escapeChar: Escape = '\\'
  for (const { name, value, range, isAtMargin } of found) {
    if (name === 'escape') {
      if (value === '`') escapeChar = value
      else if (value !== '\\') {
        report(mistake(`invalid escape token '${value}' does not match \` or \\`, range))
      }
    } else if (name === 'check' && isAtMargin) {
      const settings = parseCheckSettings(value)
      if ('mistake' in settings) {
        report(mistake(`failed to parse check options: ${settings.mistake}`, range))
      }
    }
  }
  const directives = found.map(({ name, value, range }) => ({ name, value, range }))
  return { directives, escape: escapeChar, isForeign: foreign !== undefined }
}

function fileDirectives(source: string, report: Report): readonly Found[] {
  const found: Found[] = []
  for (const directive of scan(source, 1)) {
    const { name, range } = directive
    if (found.some((other) => other.name === name)) {
      report(mistake(`only one ${name} parser directive can be used`, range))
      break
    }
    const isAtMargin = directive.isAtMargin && (found.at(-1)?.isAtMargin ?? true)
    found.push({ ...directive, isAtMargin })
  }
  return found
}

/** Only the search for a frontend and for check options reads past the first line. */
function scriptDirectives(source: string): readonly Found[] {
  const found: Found[] = []
  const seen = new Set<string>()
  for (const directive of scan(source, 2)) {
    if (!directive.isAtMargin || seen.has(directive.name)) break
    seen.add(directive.name)
    if (directive.name !== 'escape') found.push(directive)
  }
  return found
}

/** True when a line at the top of a file would be a directive. */
export function isDirective(line: string): boolean {
  return parseDirective(line, 1) !== undefined
}

/** The directives from line `first` (1-based) on. */
function* scan(source: string, first: number): Generator<Found> {
  let offset = 0
  for (let number = 1; offset < source.length; number++) {
    const newline = source.indexOf('\n', offset)
    const end = newline < 0 ? source.length : newline
    if (number >= first) {
      const directive = parseDirective(source.slice(offset, end), number)
      if (directive === undefined) return
      yield directive
    }
    offset = end + 1
  }
}

/** The directive on one line, wherever it stands; 1-based. */
export function parseDirective(line: string, number: number): Found | undefined {
  const margin = skipWhile(line, 0, isSpace)
  if (line[margin] !== '#') return undefined
  const start = skipWhile(line, margin + 1, isSpace)
  const equals = line.indexOf('=', start)
  if (equals < 0) return undefined
  const key = /^([a-z][a-z0-9]*)[\t\n\f\r ]*$/i.exec(line.slice(start, equals))?.[1]
  const name = directiveName(key ?? '')
  const value = directiveValue(line.slice(equals + 1))
  if (name === undefined || value === undefined) return undefined
  return { name, value, range: lineRange(number, line), isAtMargin: margin === 0 }
}

function directiveName(key: string): Directive['name'] | undefined {
  const name = key.toLowerCase()
  return name === 'syntax' || name === 'escape' || name === 'check' ? name : undefined
}

/** A value of blanks alone is its last blank, since BuildKit's pattern needs one character. */
function directiveValue(text: string): string | undefined {
  const written = text.replace(/\r$/, '')
  const start = skipWhile(written, 0, isPatternSpace)
  if (start === written.length) return written === '' ? undefined : written.slice(-1)
  let end = written.length
  while (isPatternSpace(written.charCodeAt(end - 1))) end--
  return written.slice(start, end)
}

function mistake(message: string, range: SourceRange): Diagnostic {
  return { severity: 'error', code: 'directive', message: printable(message), range }
}

function lineRange(number: number, text: string): SourceRange {
  const column = skipWhile(text, 0, isSpace) + 1
  const end = trimSpace(text).length + column
  return { start: { line: number, column }, end: { line: number, column: end } }
}
