/**
 * Tokens of logical lines. Every family of instructions has a lexer mode, entered by the keyword.
 * The text begins with the escape character, so that the scanners are pure functions of it; lines
 * end with a line feed. A token matches at every offset, so lexing cannot fail.
 */
import type {
  CustomPatternMatcherReturn,
  ILexingResult,
  IToken,
  ITokenConfig,
  TokenType,
} from 'chevrotain'
import { isBlank, isByteSpace, isSpace, lineEnd, skipWhile, trimEnd } from '../text/characters.ts'
import {
  type Escape,
  isFlag,
  parseJsonArray,
  scanFlag,
  scanQuotedWord,
  scanWord,
} from '../text/scan.ts'
import { createToken, Lexer } from './chevrotain.ts'

/** A lexer for the logical lines of a Dockerfile. */
export type LineLexer = InstanceType<typeof Lexer>

/** Answers with the end of the token that starts at `start`, or -1. */
type Scanner = (text: string, start: number, before: IToken | undefined) => number

type TokenOptions = Pick<ITokenConfig, 'categories' | 'group' | 'pop_mode' | 'push_mode'>

function token(name: string, scan: Scanner, options: TokenOptions = {}): TokenType {
  const exec = (
    text: string,
    start: number,
    before: IToken[],
  ): CustomPatternMatcherReturn | null => {
    const end = scan(text, start, before.at(-1))
    return end > start ? [text.slice(start, end)] : null
  }
  return createToken({ name, pattern: { exec }, line_breaks: false, ...options })
}

/** Puts `mode` in the place of the current one. */
function enter(mode: string): TokenOptions {
  return { pop_mode: true, push_mode: mode }
}

/** Characters between tokens. */
function skipped(name: string, test: (code: number) => boolean): TokenType {
  return token(name, (text, start) => skipWhile(text, start, test), { group: Lexer.SKIPPED })
}

/** A group of keywords: the grammar has a rule for the group, and the AST depends on the member. */
function family(name: string): TokenType {
  return createToken({ name, pattern: Lexer.NA })
}

function keyword(name: string, mode: string, group?: TokenType): TokenType {
  const lower = name.toLowerCase()
  const initial = lower.charCodeAt(0)
  const scan: Scanner = (text, start) => {
    // Eighteen keywords are tried at every line.
    if ((text.charCodeAt(start) | 32) !== initial) return -1
    const end = start + lower.length
    if (text.slice(start, end).toLowerCase() !== lower) return -1
    return end === scanWord(text, end) ? end : -1
  }
  const categories = group === undefined ? [] : [group]
  return token(name, scan, { categories, ...enter(mode) })
}

function escapeOf(text: string): Escape {
  return text.startsWith('`') ? '`' : '\\'
}

const lineRest: Scanner = (text, start) => trimEnd(text, start, lineEnd(text, start))

const word: Scanner = (text, start) => scanWord(text, start)

/** Keywords before a command: RUN, CMD, ENTRYPOINT, SHELL. */
export const CommandKeyword: TokenType = family('CommandKeyword')
/** Keywords before paths: COPY, ADD, VOLUME. */
export const FilesKeyword: TokenType = family('FilesKeyword')
/** Keywords before words separated by white space: FROM, EXPOSE. */
export const ListKeyword: TokenType = family('ListKeyword')
/** Keywords before keys with values: ENV, LABEL. */
export const PairsKeyword: TokenType = family('PairsKeyword')
/** Keywords before the rest of the line as one text. */
export const TextKeyword: TokenType = family('TextKeyword')

const From = keyword('From', 'list', ListKeyword)
const Run = keyword('Run', 'command', CommandKeyword)
const Cmd = keyword('Cmd', 'command', CommandKeyword)
const Entrypoint = keyword('Entrypoint', 'command', CommandKeyword)
const Shell = keyword('Shell', 'command', CommandKeyword)
const Copy = keyword('Copy', 'files', FilesKeyword)
const Add = keyword('Add', 'files', FilesKeyword)
const Volume = keyword('Volume', 'files', FilesKeyword)
const Expose = keyword('Expose', 'list', ListKeyword)
const Env = keyword('Env', 'pairs', PairsKeyword)
const Label = keyword('Label', 'pairs', PairsKeyword)
const Workdir = keyword('Workdir', 'text', TextKeyword)
const User = keyword('User', 'text', TextKeyword)
const Stopsignal = keyword('Stopsignal', 'text', TextKeyword)
const Maintainer = keyword('Maintainer', 'text', TextKeyword)
/** A word in place of a keyword, which the parser reports. */
export const UnknownName: TokenType = token('UnknownName', word, {
  categories: [TextKeyword],
  ...enter('text'),
})
/** The keyword ARG. */
export const Arg: TokenType = keyword('Arg', 'args')
/** The keyword HEALTHCHECK. */
export const Healthcheck: TokenType = keyword('Healthcheck', 'health')
/** The keyword ONBUILD. */
export const Onbuild: TokenType = keyword('Onbuild', 'onbuild')

/** ONBUILD behind ONBUILD, with the rest of the line, which is refused. */
export const NestedOnbuild: TokenType = token('NestedOnbuild', (text, start) => {
  const isOnbuild = text.slice(start, scanWord(text, start)).toLowerCase() === 'onbuild'
  return isOnbuild ? lineRest(text, start, undefined) : -1
})

/**
 * The first character of the text. It opens the first mode on top of `start`, where it stays: a token
 * that replaces the mode needs another one below it.
 */
export const Mark: TokenType = token('Mark', (_, start) => start + 1, { push_mode: 'line' })

/** The end of a logical line. */
export const Newline: TokenType = token(
  'Newline',
  (text, start) => (text.charCodeAt(start) === 10 ? start + 1 : -1),
  enter('line'),
)

const Space = skipped('Space', (code) => code !== 10 && isSpace(code))
const Blank = skipped('Blank', isBlank)
const ByteSpace = skipped('ByteSpace', (code) => code !== 10 && isByteSpace(code))

function endOf(token: IToken | undefined): number {
  return token === undefined ? 0 : token.startOffset + token.image.length
}

/** A bare `--`, which ends the flags. */
export const FlagsEnd: TokenType = token('FlagsEnd', (text, start, before) => {
  if (!isFlag(text, start, endOf(before)) || before?.tokenType === FlagsEnd) return -1
  const { end, value } = scanFlag(text, start, escapeOf(text))
  return value === '--' ? end : -1
})

/** `--name=value`; words after a bare `--` are not flags. */
export const Flag: TokenType = token('Flag', (text, start, before) => {
  if (!isFlag(text, start, endOf(before)) || before?.tokenType === FlagsEnd) return -1
  return scanFlag(text, start, escapeOf(text)).end
})

/** A JSON array that is the rest of the line. */
export const Json: TokenType = token(
  'Json',
  (text, start) =>
    parseJsonArray(text, start) === undefined ? -1 : lineRest(text, start, undefined),
  enter('rest'),
)

/** White space that belongs to what is behind it, unless that is a JSON array. */
const JsonSpace = token(
  'JsonSpace',
  (text, start) => {
    const end = skipWhile(text, start, (code) => code !== 10 && isSpace(code))
    return parseJsonArray(text, end) === undefined ? -1 : end
  },
  { group: Lexer.SKIPPED },
)

/** The rest of the line. */
export const Text: TokenType = token('Text', lineRest, enter('rest'))

/** A run of characters that are not blank. */
export const Word: TokenType = token('Word', word, enter('words'))

/** A word in which quotes and escapes protect white space. */
export const QuotedWord: TokenType = token(
  'QuotedWord',
  (text, start) => scanQuotedWord(text, start, escapeOf(text)),
  enter('quotedWords'),
)

/** The key of `ENV key value`, the old form: the first word has no `=`. */
export const LegacyKey: TokenType = token(
  'LegacyKey',
  (text, start) => {
    const end = scanQuotedWord(text, start, escapeOf(text))
    return text.slice(start, end).includes('=') ? -1 : scanWord(text, start)
  },
  enter('legacy'),
)

/**
 * The word behind HEALTHCHECK; what follows is a command, whatever the word. BuildKit looks for the
 * end of it byte by byte.
 */
export const HealthType: TokenType = token(
  'HealthType',
  (text, start) => skipWhile(text, start, (code) => !isByteSpace(code)),
  enter('healthCommand'),
)

const INSTRUCTIONS: readonly TokenType[] = [
  ...[Run, Copy, Env, From, Arg, Label, Workdir, Expose, Cmd, User, Entrypoint, Add, Volume],
  ...[Shell, Healthcheck, Stopsignal, Maintainer],
]

const FLAGS: readonly TokenType[] = [Newline, Space, FlagsEnd, Flag]

/** The lexer's modes, by name: which tokens are possible, in the order in which they are tried. */
const MODES: Record<string, TokenType[]> = {
  start: [Mark],
  line: [Newline, Blank, ...INSTRUCTIONS, Onbuild, UnknownName],
  onbuild: [...FLAGS, ...INSTRUCTIONS, NestedOnbuild, UnknownName],
  list: [...FLAGS, Word],
  words: [Newline, Blank, Word],
  command: [...FLAGS, Json, Text],
  files: [...FLAGS, Json, Word],
  pairs: [...FLAGS, LegacyKey, QuotedWord],
  legacy: [Newline, Blank, Text],
  args: [...FLAGS, QuotedWord],
  quotedWords: [Newline, Space, QuotedWord],
  text: [...FLAGS, Text],
  health: [...FLAGS, HealthType],
  healthCommand: [Newline, ByteSpace, JsonSpace, Json, Text],
  rest: [Newline, Space],
}

/** Every token of the grammar. */
export const TOKENS: readonly TokenType[] = [
  ...new Set(Object.values(MODES).flat()),
  ...[CommandKeyword, FilesKeyword, ListKeyword, PairsKeyword, TextKeyword],
]

/** A fresh lexer; Chevrotain checks its definition only when it is made for a test. */
export function createLexer(purpose: 'use' | 'test'): LineLexer {
  const definition = { modes: MODES, defaultMode: 'start' }
  const isTest = purpose === 'test'
  return new Lexer(definition, {
    positionTracking: 'onlyOffset',
    safeMode: true,
    skipValidations: !isTest,
  })
}

/** Tokens of the lines joined to one text, the escape character in front. */
export function lexLines(
  lexer: LineLexer,
  lines: readonly string[],
  escapeChar: Escape,
): ILexingResult {
  return lexer.tokenize(`${escapeChar}${lines.map((line) => `${line}\n`).join('')}`)
}
