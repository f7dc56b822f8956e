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

/**
 * The parser directives at the top of a file; they end at the first line that is none. Behind a
 * first line that makes the file a script there are none, but a frontend would still be looked for.
 */
export function readDirectives(
  source: string,
  report: (diagnostic: Diagnostic) => void,
): Directives {
  const directives: Directive[] = []
  const isScript = source.startsWith('#!')
  let escapeChar: Escape = '\\'
  let offset = isScript ? nextLine(source, 0) : 0
  for (let number = isScript ? 2 : 1; offset < source.length; number++) {
    const end = nextLine(source, offset)
    const directive = parseDirective(source.slice(offset, end), number)
    if (directive === undefined || (isScript && directive.name !== 'syntax')) break
    const { name, value, range } = directive
    if (directives.some((other) => other.name === name)) {
      report(mistake(`only one ${name} parser directive can be used`, range))
      break
    }
    const found = mistakeOf(directive)
    if (found !== undefined) report(found)
    else if (name === 'escape') escapeChar = value === '`' ? '`' : '\\'
    directives.push(directive)
    offset = end
  }
  return { directives, escape: escapeChar }
}

function nextLine(source: string, offset: number): number {
  const newline = source.indexOf('\n', offset)
  return newline < 0 ? source.length : newline + 1
}

function parseDirective(line: string, number: number): Directive | undefined {
  const assignment = parseAssignment(line)
  const name = directiveName(assignment?.key ?? '')
  if (assignment === undefined || name === undefined) return undefined
  return { name, value: assignment.value, range: lineRange(number, line) }
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

function mistakeOf({ name, value, range }: Directive): Diagnostic | undefined {
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
