import type { Heredoc } from '../ast/ast.ts'
import { isPatternSpace, isSpace, skipWhile } from '../text/characters.ts'
import { type Escape, isFlag, parseJsonArray, scanFlag, scanWord } from '../text/scan.ts'
import { shellWords, unquote } from '../text/shell-words.ts'

/** `<<NAME` as it stands on the line, its body not read yet. */
export type HeredocHead = Omit<Heredoc, 'content' | 'range'>

/** The heredocs that start on a logical line, in order; none where the instruction takes none. */
export function heredocsOf(line: string, escapeChar: Escape): readonly HeredocHead[] {
  if (!line.includes('<<') || !takesHeredocs(line, escapeChar)) return []
  return heredocsIn(line)
}

/** Those that start in a text, of whatever instruction. */
export function heredocsIn(text: string): readonly HeredocHead[] {
  return shellWords(text)
    .map(parseHeredocWord)
    .filter((head) => head !== undefined)
}

/** The content as a file or script gets it: `<<-` drops the leading tabs of every line. */
export function heredocBody(heredoc: Heredoc): string {
  return heredoc.chomp ? heredoc.content.replace(/^\t+/gm, '') : heredoc.content
}

/**
 * `[fd]<<[-] name`, the name perhaps quoted; `undefined` for any other word. A command that is such a
 * word is a heredoc and nothing else.
 */
export function parseHeredocWord(word: string): HeredocHead | undefined {
  const digits = skipWhile(word, 0, (code) => code >= 48 && code <= 57)
  if (!word.startsWith('<<', digits)) return undefined
  const chomp = word.charAt(digits + 2) === '-'
  const raw = word.slice(skipWhile(word, digits + (chomp ? 3 : 2), isPatternSpace))
  if (raw.includes('<')) return undefined
  const [only, ...others] = shellWords(raw)
  if (only === undefined || others.length > 0) return undefined
  const name = unquote(only)
  if (name === undefined || name === '') return undefined
  const expand = countQuotes(name) === countQuotes(only)
  return { name, expand, chomp, fileDescriptor: digits === 0 ? -1 : Number(word.slice(0, digits)) }
}

/** RUN, COPY and ADD take heredocs, also behind ONBUILD, unless written in JSON form. */
function takesHeredocs(line: string, escapeChar: Escape): boolean {
  let start = skipWhile(line, 0, isSpace)
  let end = scanWord(line, start)
  let args = skipFlags(line, end, escapeChar)
  if (line.slice(start, end).toLowerCase() === 'onbuild') {
    start = args
    end = scanWord(line, start)
    args = skipFlags(line, end, escapeChar)
  }
  const isTaker = /^(run|copy|add)$/i.test(line.slice(start, end))
  return isTaker && parseJsonArray(line, args) === undefined
}

function skipFlags(line: string, start: number, escapeChar: Escape): number {
  let before = start
  let offset = skipWhile(line, start, isSpace)
  while (isFlag(line, offset, before)) {
    const { end, value } = scanFlag(line, offset, escapeChar)
    before = end
    offset = skipWhile(line, end, isSpace)
    if (value === '--') break
  }
  return offset
}

function countQuotes(text: string): number {
  let count = 0
  for (const char of text) if (char === '"' || char === "'") count++
  return count
}
