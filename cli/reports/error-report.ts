import { chainMessage, chainOf } from '#buildkit/reports'
import { TsbuildError } from '#core'
import { SourceError } from '#parser'
import type { Shell } from '../terminal/shell.ts'
import { cleanLine } from '../terminal/text.ts'

const MORE_DIAGNOSTICS = 20

/** Prints an error for people to standard error. */
export function reportError(error: unknown, shell: Pick<Shell, 'env' | 'stderr'>): void {
  const source = chainOf(error).findLast((link) => link instanceof SourceError)
  const debug = shell.env.TSBUILD_DEBUG === '1'
  shell.stderr.write(errorText(error, { source, debug }))
}

/**
 * The lines of the Dockerfile, one line with the whole story, further findings, and what to do. A
 * stack trace is shown for bugs only, and only when `debug` is on.
 * @internal
 */
export function errorText(
  error: unknown,
  about: { readonly source: SourceError | undefined; readonly debug: boolean },
): string {
  const excerpt = about.source?.excerpt() ?? ''
  const lines = [
    ...excerpt.split('\n').slice(0, -1).map(cleanLine),
    `ERROR: ${cleanLine(chainMessage(error))}${codeSuffix(error)}`,
    ...moreFindings(about.source),
    ...(error instanceof TsbuildError ? hintLine(error) : bugLines(error, about.debug)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function codeSuffix(error: unknown): string {
  return error instanceof TsbuildError ? ` (${error.code})` : ''
}

function moreFindings(source: SourceError | undefined): readonly string[] {
  const more = source?.diagnostics.slice(1) ?? []
  const shown = more
    .slice(0, MORE_DIAGNOSTICS)
    .map(({ message, range }) => `  and on line ${range.start.line}: ${cleanLine(message)}`)
  const hidden = more.length - shown.length
  return hidden > 0 ? [...shown, `  and ${hidden} more`] : shown
}

function hintLine(error: TsbuildError): readonly string[] {
  for (const link of chainOf(error)) {
    if (link instanceof TsbuildError && link.hint !== undefined) {
      return [`hint: ${cleanLine(link.hint)}`]
    }
  }
  return []
}

function bugLines(error: unknown, debug: boolean): readonly string[] {
  if (!debug) {
    return [
      'this is a bug in tsbuild: please report it with what TSBUILD_DEBUG=1 prints in its place',
    ]
  }
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return ['this is a bug in tsbuild', ...stack.split('\n').map(cleanLine)]
}
