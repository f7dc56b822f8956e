import type { Comment, Dockerfile, Heredoc, Instruction } from '../ast/ast.ts'
import { instructionsOf } from '../ast/visit.ts'
import { isDirective } from '../lines/directives.ts'
import { partsOf } from '../lines/instruction-parts.ts'
import type { Escape } from '../text/scan.ts'
import type { SourceRange } from '../text/source.ts'
import { layOut } from './layout.ts'

/** One or more whole lines of the print. */
interface Item {
  readonly kind: 'directive' | 'comment' | 'instruction'
  /** Without the last line feed. */
  readonly text: string
  /** Where it stood: blank lines between items are printed as one. */
  readonly range: SourceRange
}

/**
 * The text of a Dockerfile. It parses to the same AST but for positions: `range`, `offset` and the
 * texts as written (`text`, `trigger`). Lines end with a line feed; words stand one blank apart;
 * comments, scripts, heredocs and the lines that an author broke stay as they are. Parts of the AST
 * may have been changed or made: what `text` does not hold is printed on one line.
 */
export function printDockerfile(dockerfile: Dockerfile): string {
  let printed = ''
  let previous: Item | undefined
  let isTop = true
  for (const item of itemsOf(dockerfile)) {
    const gap = previous === undefined ? 0 : item.range.start.line - previous.range.end.line
    const isApart = gap > 1 && item.kind !== 'directive'
    if (isApart || (isTop && isMistakable(item))) printed += '\n'
    printed += `${item.text}\n`
    isTop &&= item.kind === 'directive' || isShebang(item)
    previous = item
  }
  return printed
}

function itemsOf(dockerfile: Dockerfile): readonly Item[] {
  const { directives, escape: escapeChar, comments } = dockerfile
  const top = directives.map(({ name, value, range }): Item => {
    // A directive behind white space is weaker than one at the margin.
    const margin = range.start.column > 1 ? ' ' : ''
    return { kind: 'directive', text: `${margin}# ${name}=${value}`, range }
  })
  const others = [...instructionsOf(dockerfile)].flatMap((instruction) => [
    ...instruction.comments.map(commentItem),
    instructionItem(instruction, escapeChar),
  ])
  others.push(...comments.map(commentItem))
  const [first] = others
  if (first === undefined || !isShebang(first)) return [...top, ...others]
  return [first, ...top, ...others.slice(1)]
}

function commentItem({ text, range }: Comment): Item {
  return { kind: 'comment', text: `#${text}`, range }
}

function instructionItem(instruction: Instruction, escapeChar: Escape): Item {
  const line = layOut(instruction, partsOf(instruction), escapeChar)
  const bodies = heredocsOf(instruction).map(bodyText)
  return { kind: 'instruction', text: line + bodies.join(''), range: instruction.range }
}

/** The line that ends a `<<-` may be indented. */
function bodyText({ name, content, chomp, range }: Heredoc): string {
  const tabs = chomp ? Math.max(range.end.column - 1 - name.length, 0) : 0
  return `\n${content}${'\t'.repeat(tabs)}${name}`
}

function heredocsOf(instruction: Instruction): readonly Heredoc[] {
  return 'heredocs' in instruction ? instruction.heredocs : []
}

/** True for a comment that, where it stood, made a script of the file. */
function isShebang({ kind, text, range }: Item): boolean {
  const { line, column } = range.start
  return kind === 'comment' && text.startsWith('#!') && line === 1 && column === 1
}

/** True for a comment that would be a directive at the top of the file. */
function isMistakable(item: Item): boolean {
  if (item.kind !== 'comment' || isShebang(item)) return false
  return isDirective(item.text) || item.text.startsWith('#!')
}
