import { templateError } from './template-error.ts'

/** A piece of a template: text as it is, or the words of an action. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly words: readonly string[] }

const ACTION =
  /\{\{(-(?=\s))?((?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)*'|[^}"`']|\}(?!\}))*?)((?<=\s)-)?\}\}/g
const COMMENT = /^\s*\/\*[\s\S]*\*\/\s*$/
const WORD =
  /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)*'|:=|[()|,=]|(?:\$\w*|\))?(?:\.\w+)+|\$\w*|[+-]?\d[\w.+-]*|\w+|\.|\S/g

/** @throws {TsbuildError} USAGE */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let at = 0
  let trimsNext = false
  for (const match of text.matchAll(ACTION)) {
    const [whole, trimsBefore, body = '', trimsAfter] = match
    const before = text.slice(at, match.index)
    const start = trimsNext ? before.trimStart() : before
    pieces.push({ kind: 'text', text: trimsBefore === undefined ? start : start.trimEnd() })
    if (!COMMENT.test(body)) pieces.push({ kind: 'action', words: wordsOf(body) })
    trimsNext = trimsAfter !== undefined
    at = match.index + whole.length
  }
  const rest = text.slice(at)
  pieces.push({ kind: 'text', text: trimsNext ? rest.trimStart() : rest })
  const left = pieces.some((one) => one.kind === 'text' && one.text.includes('{{'))
  if (left) throw templateError('an action is not closed')
  return pieces
}

/** A closing parenthesis and the fields behind it are two words. */
function wordsOf(body: string): readonly string[] {
  const words = body.match(WORD) ?? []
  return words.flatMap((word) =>
    word.startsWith(')') && word.length > 1 ? [')', word.slice(1)] : [word],
  )
}
