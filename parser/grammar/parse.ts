import type { IToken } from 'chevrotain'
import type {
  ArgInstruction,
  Comment,
  Directive,
  Dockerfile,
  Instruction,
  Stage,
  StageInstruction,
} from '../ast/ast.ts'
import { type ParseOptions, readDirectives } from '../lines/directives.ts'
import { type Lines, type LogicalLine, readLines } from '../lines/lines.ts'
import { trimEnd } from '../text/characters.ts'
import type { Diagnostic } from '../text/diagnostics.ts'
import type { Escape } from '../text/scan.ts'
import type { SourceRange } from '../text/source.ts'
import { nodesOf } from './cst.ts'
import { DockerfileGrammar } from './grammar.ts'
import { createLexer, type LineLexer, lexLines } from './lexer.ts'
import { Site } from './site.ts'
import { createLineVisitor, type LineVisitor } from './to-ast.ts'

/** Dockerfiles and ignore files are written by people; larger ones are refused. */
export const MAX_DOCKERFILE_BYTES: number = 4 * 1024 * 1024
const MAX_DIAGNOSTICS = 1000
/** Lines that pass lexer, grammar and visitor together, so that their trees are short-lived. */
const BATCH_LINES = 64
/** Lexer and grammar accept every text. If they ever fail, the error must not be dropped. */
const PARSER_BUG = 'the Dockerfile could not be parsed: this is a mistake in tsbuild'
const FILE_START: SourceRange = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } }
const NOTHING: Dockerfile = {
  directives: [],
  escape: '\\',
  globalArgs: [],
  stages: [],
  comments: [],
}

/** A Dockerfile, and what is wrong with it. */
export interface ParseResult {
  /** What could be understood; complete when no diagnostic is an error. */
  readonly dockerfile: Dockerfile
  /** In file order; no more than the first thousand errors and the first thousand warnings. */
  readonly diagnostics: readonly Diagnostic[]
}

/** The instruction of an ONBUILD trigger, and what is wrong with it. */
export interface TriggerResult {
  /** `undefined` when there is an error. */
  readonly instruction: StageInstruction | undefined
  readonly diagnostics: readonly Diagnostic[]
}

interface Machine {
  readonly lexer: LineLexer
  readonly grammar: DockerfileGrammar
  readonly visitLine: LineVisitor
}

/** A logical line and its instruction, `undefined` when it has mistakes. */
interface ParsedLine {
  readonly line: LogicalLine
  readonly instruction: Instruction | undefined
}

type Report = (diagnostic: Diagnostic) => void

/** Parses a Dockerfile. Never throws, whatever the bytes; mistakes come back as diagnostics. */
export function parseDockerfile(
  source: string | Uint8Array,
  options: ParseOptions = {},
): ParseResult {
  const collected = collector()
  const { found, report } = collected
  const text = decode(source)
  if (text === undefined || source.length === 0) {
    report(
      fileError(
        text === '' ? 'the Dockerfile cannot be empty' : 'the Dockerfile is larger than 4 MiB',
      ),
    )
    return { dockerfile: NOTHING, diagnostics: found }
  }
  const { directives, escape: escapeChar, isForeign } = readDirectives(text, report, options)
  // The text of another language has no mistakes by the rules of this one.
  const rest = isForeign ? collector() : collected
  const read = withoutDirectives(readLines(text, escapeChar, rest.report), directives)
  const lines = parseLines(read.lines, escapeChar, rest)
  const parts = { ...toStages(lines, rest.report), comments: read.comments }
  if (!found.some(({ severity }) => severity === 'error')) {
    if (lines.length === 0) report(fileError('file with no instructions'))
    else if (parts.stages.length === 0) report(fileError('dockerfile contains no stages to build'))
  }
  return {
    dockerfile: { directives, escape: escapeChar, ...parts },
    diagnostics: inFileOrder(found),
  }
}

/** Parses the text of an ONBUILD trigger, as image configs store it. Never throws. */
export function parseTrigger(text: string): TriggerResult {
  const collected = collector()
  const { found, report } = collected
  const lines = parseLines(readLines(text, '\\', report).lines, '\\', collected)
  const [first, ...more] = lines
  const instruction = first?.instruction
  if (first === undefined || more.length > 0) {
    report(instructionError('onbuild trigger should be a single expression', FILE_START))
  } else if (instruction?.kind === 'from') {
    report(instructionError("FROM isn't allowed as an ONBUILD trigger", instruction.range))
  }
  const isBad = found.some(({ severity }) => severity === 'error')
  if (isBad || instruction === undefined || instruction.kind === 'from') {
    return { instruction: undefined, diagnostics: inFileOrder(found) }
  }
  return { instruction, diagnostics: inFileOrder(found) }
}

/** The pass over lines takes directives for comments. */
function withoutDirectives(read: Lines, directives: readonly Directive[]): Lines {
  if (directives.length === 0) return read
  const places = new Set(directives.map(({ range }) => range.start.line))
  const keep = (comments: readonly Comment[]): readonly Comment[] =>
    comments.filter(({ range }) => !places.has(range.start.line))
  const [first, ...others] = read.lines
  if (first === undefined) return { lines: [], comments: keep(read.comments) }
  return { ...read, lines: [{ ...first, comments: keep(first.comments) }, ...others] }
}

interface Collector {
  readonly found: readonly Diagnostic[]
  readonly report: Report
  /** True when further errors are dropped. */
  isFull(): boolean
}

/** Keeps the first thousand of each kind: a file of garbage has one mistake a line. */
function collector(): Collector {
  const found: Diagnostic[] = []
  const counts = { error: 0, warning: 0 }
  const report: Report = (diagnostic) => {
    counts[diagnostic.severity]++
    if (counts[diagnostic.severity] <= MAX_DIAGNOSTICS) found.push(diagnostic)
  }
  return { found, report, isFull: () => counts.error >= MAX_DIAGNOSTICS }
}

/** The text without byte order mark; `undefined` when it is too long. Bad UTF-8 is replaced. */
function decode(source: string | Uint8Array): string | undefined {
  if (Buffer.byteLength(source) > MAX_DOCKERFILE_BYTES) return undefined
  const text =
    typeof source === 'string'
      ? source
      : new TextDecoder('utf-8', { ignoreBOM: true }).decode(source)
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

let machine: Machine | undefined

/** Created at the first call, which costs more than parsing a file. */
function getMachine(): Machine {
  if (machine === undefined) {
    const grammar = new DockerfileGrammar('use')
    machine = { lexer: createLexer('use'), grammar, visitLine: createLineVisitor(grammar, 'use') }
  }
  return machine
}

/** The tokens of one logical line, which need not be an instruction. */
export function lexLine(line: string, escapeChar: Escape): readonly IToken[] {
  return lexLines(getMachine().lexer, [line], escapeChar).tokens
}

/** Stops when further errors are dropped. */
function parseLines(
  lines: readonly LogicalLine[],
  escapeChar: Escape,
  collected: Collector,
): readonly ParsedLine[] {
  const parsed: ParsedLine[] = []
  for (let start = 0; start < lines.length && !collected.isFull(); start += BATCH_LINES) {
    const batch = lines.slice(start, start + BATCH_LINES)
    parsed.push(...parseBatch(batch, escapeChar, collected.report))
  }
  return parsed
}

function parseBatch(
  lines: readonly LogicalLine[],
  escapeChar: Escape,
  report: Report,
): readonly ParsedLine[] {
  const { lexer, grammar, visitLine } = getMachine()
  const texts = lines.map(({ text }) => text.slice(0, trimEnd(text, 0, text.length)))
  const { tokens, errors } = lexLines(lexer, texts, escapeChar)
  grammar.input = tokens
  const nodes = nodesOf(grammar.dockerfile().children, 'line')
  if (errors.length + grammar.errors.length > 0) report(fileError(PARSER_BUG))
  let base = 1
  return lines.map((line, index) => {
    const site = new Site({ line, base, escape: escapeChar, report })
    const node = nodes[index]
    base += (texts[index]?.length ?? 0) + 1
    return { line, instruction: node && visitLine(node, site) }
  })
}

/** Instructions behind a FROM that has mistakes belong to no stage; that is not reported again. */
function toStages(
  lines: readonly ParsedLine[],
  report: Report,
): Pick<Dockerfile, 'globalArgs' | 'stages'> {
  const globalArgs: ArgInstruction[] = []
  const stages: (Stage & { readonly instructions: StageInstruction[] })[] = []
  let isWithoutStage = false
  for (const { line, instruction } of lines) {
    const current = stages.at(-1)
    if (instruction === undefined) {
      isWithoutStage ||= current === undefined || /^from\b/i.test(line.text)
    } else if (instruction.kind === 'from') {
      const name = instruction.as?.raw.toLowerCase()
      stages.push({ index: stages.length, name, from: instruction, instructions: [] })
      isWithoutStage = false
    } else if (current === undefined && instruction.kind === 'arg') {
      globalArgs.push(instruction)
    } else if (!isWithoutStage && current === undefined) {
      const hint = 'begin the first stage with FROM'
      const message = 'no build stage in current context'
      report({ ...instructionError(message, instruction.range), hint })
      isWithoutStage = true
    } else if (!isWithoutStage) current?.instructions.push(instruction)
  }
  return { globalArgs, stages }
}

function inFileOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted(({ range: a }, { range: b }) => {
    return a.start.line - b.start.line || a.start.column - b.start.column
  })
}

function fileError(message: string): Diagnostic {
  return { severity: 'error', code: 'file', message, range: FILE_START }
}

function instructionError(message: string, range: SourceRange): Diagnostic {
  return { severity: 'error', code: 'instruction', message, range }
}
