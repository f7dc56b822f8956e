import { type FailureOptions, TsbuildError } from '#core'
import { excerpt } from './excerpt.ts'
import type { SourceRange } from './source.ts'

/** Something that is wrong with a Dockerfile, and where. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly range: SourceRange
  readonly code: DiagnosticCode
  /** Where the instruction begins, unless that is the line on which `range` does. */
  readonly line?: number | undefined
  /** One sentence about what the user can do. */
  readonly hint?: string | undefined
}

/**
 * The kind of mistake: `file` is about the file as a whole, `directive` about a parser directive,
 * `line` about the form of a line (heredocs, JSON, length), `instruction` about its meaning;
 * `unsupported` is for what tsbuild does not do. Warnings carry the name of the build check.
 */
export type DiagnosticCode =
  | 'file'
  | 'directive'
  | 'line'
  | 'instruction'
  | 'unsupported'
  | 'NoEmptyContinuation'
  | 'IgnoredFlag'
  | 'EmptyCommand'
  | 'InvalidTrigger'

/** A text and the name that the user knows it by: `Dockerfile`, a path, `stdin`. */
export interface SourceFile {
  readonly filename: string
  readonly text: string
}

/** What a `SourceError` has besides its message. */
export interface SourceErrorOptions extends FailureOptions {
  /** The offending places, the most important one first. */
  readonly ranges: readonly SourceRange[]
  readonly source?: SourceFile | undefined
  /** All findings, where the error stands for several; the one in the message comes first. */
  readonly diagnostics?: readonly Diagnostic[] | undefined
}

/** A failure that is tied to places in a source file. */
export class SourceError extends TsbuildError {
  readonly ranges: readonly SourceRange[]
  readonly source: SourceFile | undefined
  readonly diagnostics: readonly Diagnostic[]

  constructor(message: string, options: SourceErrorOptions) {
    super(message, options)
    this.ranges = options.ranges
    this.source = options.source
    this.diagnostics = options.diagnostics ?? []
  }

  /** The same error with the file that its ranges belong to; an existing file is kept. */
  in(source: SourceFile): SourceError {
    if (this.source !== undefined) return this
    const { code, cause, hint, ranges, diagnostics } = this
    const error = new SourceError(this.message, { code, cause, hint, ranges, source, diagnostics })
    if (this.stack !== undefined) error.stack = this.stack
    return error
  }

  /** The lines of the source with the places marked; empty when the file is not known. */
  excerpt(): string {
    if (this.source === undefined) return ''
    return excerpt(this.source.text, this.ranges, this.source.filename)
  }
}

/** A failure with the file that it is about, if it has a place. */
export function failureIn<T>(cause: T, source: SourceFile): T | SourceError {
  return cause instanceof SourceError ? cause.in(source) : cause
}

/**
 * The error that BuildKit stops at: the first about how a line is built up, else the first of all.
 * `undefined` when there are only warnings.
 */
export function firstError(diagnostics: readonly Diagnostic[]): Diagnostic | undefined {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  return errors.find(({ code }) => code === 'line' || code === 'directive') ?? errors[0]
}

/** The line of an error in BuildKit's words: that on which the instruction begins. */
export function lineOf({ line, range }: Diagnostic): number {
  return line ?? range.start.line
}

/**
 * The error that stands for all error diagnostics, or `undefined` when there are only warnings.
 * Its message is that of `firstError`. Code DOCKERFILE_INVALID, or UNSUPPORTED when every error is about something
 * that tsbuild does not do.
 */
export function diagnosticsError(
  diagnostics: readonly Diagnostic[],
  source: SourceFile,
): SourceError | undefined {
  const first = firstError(diagnostics)
  if (first === undefined) return undefined
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const isUnsupported = errors.every(({ code }) => code === 'unsupported')
  const isPlaced = first.code === 'instruction' || first.code === 'unsupported'
  const place = isPlaced ? `dockerfile parse error on line ${lineOf(first)}: ` : ''
  return new SourceError(`${place}${first.message}`, {
    code: isUnsupported ? 'UNSUPPORTED' : 'DOCKERFILE_INVALID',
    hint: first.hint,
    ranges: [first.range],
    source,
    diagnostics: [first, ...errors.filter((error) => error !== first)],
  })
}
