/**
 * The frontend that a file asks for. BuildKit fetches and runs any image named there; tsbuild has
 * the Dockerfile frontend built in and refuses all others.
 */
import type { Directive } from '../ast/ast.ts'
import { isSpace, skipWhile, trimSpace } from '../text/characters.ts'
import type { Diagnostic } from '../text/diagnostics.ts'
import type { SourceRange } from '../text/source.ts'

/**
 * Docker's own frontend in any version, from any registry and below any path of a mirror; or the
 * one of BuildKit itself.
 */
const BUILT_IN =
  /^(?:(?:[^\s/@]+\/)*docker\/dockerfile(?:-upstream)?(?::[\w][\w.-]{0,127})?(?:@\w+:\w+)?|dockerfile\.v0)$/

interface RequestedSyntax {
  readonly value: string
  readonly range: SourceRange
}

/** Whether a value of `syntax` or BUILDKIT_SYNTAX asks for the frontend that is built in. */
export function isBuiltInFrontend(syntax: string): boolean {
  return BUILT_IN.test(frontendOf(syntax))
}

/** What follows it is for the frontend. */
function frontendOf(syntax: string): string {
  return trimSpace(syntax).split(' ', 1)[0] ?? ''
}

/**
 * An error when the file asks for a frontend that is not Docker's own: by `# syntax=` (among
 * `directives`), else by `// syntax=`, else as a JSON object with the key `syntax`.
 */
export function foreignSyntax(
  source: string,
  directives: readonly Directive[],
): Diagnostic | undefined {
  const named = directives.find(({ name }) => name === 'syntax') ?? slashSyntax(source)
  const found = named ?? jsonSyntax(source)
  if (found === undefined) return undefined
  if (isBuiltInFrontend(found.value)) return undefined
  return {
    severity: 'error',
    code: 'unsupported',
    message: `unsupported syntax ${JSON.stringify(frontendOf(found.value))}`,
    range: found.range,
    hint: 'tsbuild has the Dockerfile frontend built in: use docker/dockerfile:1 or remove the line',
  }
}

/** `// syntax=` among the lines at the top that look like this. */
function slashSyntax(source: string): RequestedSyntax | undefined {
  const first = source.startsWith('#!') ? 1 : 0
  let offset = 0
  for (let index = 0; offset < source.length; index++) {
    const newline = source.indexOf('\n', offset)
    const end = newline < 0 ? source.length : newline
    if (index >= first) {
      const line = source.slice(offset, end)
      const key = /^\/\/\s*(syntax|escape|check)\s*=/i.exec(line)
      const value = key === null ? '' : trimSpace(line.slice(key[0].length))
      if (key === null || value === '') return undefined
      if (key[1]?.toLowerCase() === 'syntax') return { value, range: lineRange(index + 1, line) }
    }
    offset = end + 1
  }
  return undefined
}

function jsonSyntax(source: string): RequestedSyntax | undefined {
  const start = source.startsWith('#!') ? source.indexOf('\n') + 1 : 0
  const brace = skipWhile(source, start, isSpace)
  if (source[brace] !== '{') return undefined
  try {
    const value: unknown = JSON.parse(source.slice(brace))
    if (typeof value !== 'object' || value === null || !('syntax' in value)) return undefined
    const { syntax } = value
    return typeof syntax === 'string' ? { value: syntax, range: lineRange(1, '') } : undefined
  } catch {
    return undefined
  }
}

function lineRange(line: number, text: string): SourceRange {
  const end = trimSpace(text).length + 1
  return { start: { line, column: 1 }, end: { line, column: end } }
}
