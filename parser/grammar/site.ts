import type { IToken } from 'chevrotain'
import type { Comment, InstructionBase, LineBreak, Word } from '../ast/ast.ts'
import { type LogicalLine, positionAt, rangeOf } from '../lines/lines.ts'
import { isSpace, printable, skipWhile, trimEnd } from '../text/characters.ts'
import type { Diagnostic, DiagnosticCode } from '../text/diagnostics.ts'
import type { Escape } from '../text/scan.ts'
import type { SourceRange } from '../text/source.ts'
import { type Children, childrenOf, tokensOf } from './cst.ts'

interface SiteOptions {
  readonly line: LogicalLine
  /** Where the line starts in the text that was lexed. */
  readonly base: number
  readonly escape: Escape
  readonly report: (diagnostic: Diagnostic) => void
}

interface DiagnosticOptions {
  readonly range?: SourceRange
  readonly code?: DiagnosticCode
  readonly hint?: string | undefined
}

/** The context of one logical line while it becomes an AST node: positions and diagnostics. */
export class Site {
  readonly line: LogicalLine
  readonly escape: Escape
  /** True once an error has been reported here: then the line has no AST node. */
  hasFailed = false
  readonly #options: SiteOptions

  constructor(options: SiteOptions) {
    this.line = options.line
    this.escape = options.escape
    this.#options = options
  }

  /**
   * The site of the trigger on this line. Its arguments are checked when it runs, so mistakes in
   * them are warnings; mistakes in the form of the line are errors.
   */
  forTrigger(): Site {
    const report = (diagnostic: Diagnostic): void => {
      if (diagnostic.severity === 'warning') this.#options.report(diagnostic)
      else if (diagnostic.code === 'line') {
        this.hasFailed = true
        this.#options.report(diagnostic)
      } else {
        this.#options.report({ ...diagnostic, severity: 'warning', code: 'InvalidTrigger' })
      }
    }
    return new Site({ ...this.#options, report })
  }

  /** Range of a token, or of the part of it from `start` to `end`. */
  range(token: IToken, start = 0, end: number = token.image.length): SourceRange {
    const offset = token.startOffset - this.#options.base
    return rangeOf(this.line, offset + start, offset + end)
  }

  /** A token, or a part of it, as a word. */
  word(token: IToken, start = 0, end: number = token.image.length): Word {
    return { raw: token.image.slice(start, end), range: this.range(token, start, end) }
  }

  /** What all instructions have, for the one that begins with `keyword`. */
  node(keyword: IToken, children: Children): InstructionBase {
    const { line } = this
    const offset = keyword.startOffset - this.#options.base
    const text = line.text.slice(offset, trimEnd(line.text, offset, line.text.length))
    const base = {
      range: { start: positionAt(line, offset), end: line.end },
      lines: line.lines,
      text,
      keyword: this.word(keyword),
      flags: tokensOf(childrenOf(children, 'flags'), 'Flag').map((token) => this.word(token)),
    }
    const isTrigger = offset > skipWhile(line.text, 0, isSpace)
    if (isTrigger) return { ...base, comments: [], breaks: [] }
    if (line.breaks.length === 0) return { ...base, comments: line.comments, breaks: [] }
    const early: Comment[] = []
    const breaks: LineBreak[] = []
    for (const found of line.breaks) {
      const place = found.offset - offset
      if (place < keyword.image.length) early.push(...found.comments)
      else breaks.push({ ...found, offset: place })
    }
    return { ...base, comments: [...line.comments, ...early], breaks }
  }

  fail(message: string, options: DiagnosticOptions = {}): void {
    this.hasFailed = true
    this.#add('error', message, options)
  }

  warn(message: string, options: DiagnosticOptions): void {
    this.#add('warning', message, options)
  }

  #add(severity: Diagnostic['severity'], message: string, options: DiagnosticOptions): void {
    const { line } = this
    const whole = rangeOf(line, 0, trimEnd(line.text, 0, line.text.length))
    const { code = 'instruction', range = whole, hint } = options
    this.#options.report({
      severity,
      message: printable(message),
      code,
      range,
      ...(line.lines.first === range.start.line ? {} : { line: line.lines.first }),
      ...(hint === undefined ? {} : { hint }),
    })
  }
}
