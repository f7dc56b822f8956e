import type { Directive } from './ast.ts'
import { isSpace, printable, skipWhile, trimSpace } from './characters.ts'
import type { Diagnostic } from './diagnostics.ts'
import type { Escape } from './scan.ts'
import type { SourceRange } from './source.ts'

export interface Directives {
  readonly directives: readonly Directive[]
  readonly escape: Escape
}

interface Assignment {
  readonly key: string
  readonly value: string
}

/** The parser directives at the top of a file; they end at the first line that is none. */
export function readDirectives(
  source: string,
  report: (diagnostic: Diagnostic) => void,
): Directives {
  const directives: Directive[] = []
  let escapeChar: Escape = '\\'
  let offset = 0
  for (let number = 1; offset < source.length; number++) {
    const newline = source.indexOf('\n', offset)
    const text = source.slice(offset, newline < 0 ? source.length : newline)
    const assignment = parseAssignment(text)
    const name = assignment === undefined ? undefined : directiveName(assignment.key)
    if (assignment === undefined || name === undefined) {
      // A script's first line hides the syntax line from the parser, but not from those who ask for it.
      if (number > 1 || !text.startsWith('#!')) break
      offset = newline < 0 ? source.length : newline + 1
      continue
    }
    const range = lineRange(number, text)
    const directive: Directive = { name, value: assignment.value, range }
    const message = mistakeOf(directive, directives)
    if (message === undefined && name === 'escape')
      escapeChar = assignment.value === '`' ? '`' : '\\'
    if (message !== undefined) report(message)
    directives.push(directive)
    offset = newline < 0 ? source.length : newline + 1
  }
  return { directives, escape: escapeChar }
}

function directiveName(key: string): Directive['name'] | undefined {
  const name = key.toLowerCase()
  return name === 'syntax' || name === 'escape' || name === 'check' ? name : undefined
}

/** `# key = value`, or `undefined`: then the line is an ordinary comment. */
function parseAssignment(text: string): Assignment | undefined {
  const trimmed = trimSpace(text)
  if (!trimmed.startsWith('#')) return undefined
  const equals = trimmed.indexOf('=')
  if (equals < 0) return undefined
  const key = trimSpace(trimmed.slice(1, equals))
  const value = trimSpace(trimmed.slice(equals + 1))
  if (value === '' || !/^[a-z][a-z0-9]*$/i.test(key)) return undefined
  return { key, value }
}

function mistakeOf(directive: Directive, earlier: readonly Directive[]): Diagnostic | undefined {
  const { name, value, range } = directive
  if (earlier.some((other) => other.name === name)) {
    return mistake(`only one ${name} parser directive can be used`, range)
  }
  switch (name) {
    case 'escape':
      if (value === '`' || value === '\\') return undefined
      return mistake(`invalid escape token '${value}' does not match \` or \\`, range)
    case 'check': {
      const option = invalidCheckOption(value)
      if (option === undefined) return undefined
      const quoted = JSON.stringify(option)
      return mistake(`failed to parse check options: invalid check option ${quoted}`, range)
    }
    case 'syntax':
      return syntaxMistake(value, range)
  }
}

/** Any other frontend is a program that would have to be fetched and run: that is refused. */
function syntaxMistake(value: string, range: SourceRange): Diagnostic | undefined {
  const [frontend = ''] = value.split(/\s/, 1)
  const name = frontend.replace(/^docker\.io\//, '')
  const [repository] = name.split(/[:@]/, 1)
  if (repository === 'docker/dockerfile' || repository === 'docker/dockerfile-upstream') {
    return undefined
  }
  return {
    severity: 'error',
    code: 'unsupported',
    message: `unsupported syntax ${JSON.stringify(frontend)}`,
    range,
    hint: 'tsbuild has the Dockerfile frontend built in: use docker/dockerfile:1 or remove the line',
  }
}

/** Spec: BuildKit's `skip=all|Rule,…;error=bool;experimental=all|Rule,…` */
function invalidCheckOption(value: string): string | undefined {
  for (const option of value.split(';')) {
    const [key = '', setting] = option.split('=')
    const isKnown = setting !== undefined && ['skip', 'error', 'experimental'].includes(key.trim())
    if (!isKnown) return option.trim()
    if (key.trim() === 'error' && !/^(1|0|t|f|true|false)$/i.test(setting.trim()))
      return option.trim()
  }
  return undefined
}

function mistake(message: string, range: SourceRange): Diagnostic {
  return { severity: 'error', code: 'directive', message: printable(message), range }
}

function lineRange(number: number, text: string): SourceRange {
  const column = skipWhile(text, 0, isSpace) + 1
  const end = trimSpace(text).length + column
  return { start: { line: number, column }, end: { line: number, column: end } }
}
