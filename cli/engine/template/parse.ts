import { FUNCTIONS } from './functions.ts'
import type { Body, Call, Node, Operand, Pipe } from './syntax.ts'
import { templateError } from './template-error.ts'
import { type Piece, piecesOf } from './tokens.ts'

/** The parts of a template. @throws {TsbuildError} USAGE for what is not known */
export function parseNodes(text: string): readonly Node[] {
  const pieces = [...piecesOf(text)]
  const { nodes, end } = takeNodes(pieces)
  if (end !== undefined) throw templateError(`unexpected {{${end.join(' ')}}}`)
  return nodes
}

interface Taken {
  readonly nodes: readonly Node[]
  /** The words of the action behind them, which is `end` or `else`; absent at the end of the text. */
  readonly end: readonly string[] | undefined
}

function takeNodes(pieces: Piece[]): Taken {
  const nodes: Node[] = []
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    if (piece.kind === 'text') {
      nodes.push(piece)
      continue
    }
    const [first, ...words] = piece.words
    if (first === 'end' || first === 'else') return { nodes, end: piece.words }
    nodes.push(nodeOf(first, words, pieces))
  }
  return { nodes, end: undefined }
}

function nodeOf(first: string | undefined, words: readonly string[], pieces: Piece[]): Node {
  switch (first) {
    case undefined:
      throw templateError('an action is empty')
    case 'if':
    case 'with':
    case 'range':
      return { kind: first, pipe: pipeOf(words), body: takeBody(first, pieces) }
    case 'break':
    case 'continue':
      return { kind: first }
    default:
      return { kind: 'value', pipe: pipeOf([first, ...words]) }
  }
}

function takeBody(kind: 'if' | 'with' | 'range', pieces: Piece[]): Body {
  const { nodes: before, end } = takeNodes(pieces)
  if (end === undefined) throw templateError(`${kind === 'if' ? 'an' : 'a'} ${kind} has no end`)
  if (end[0] === 'end') return { when: before, otherwise: [] }
  const [, next, ...words] = end
  if (next === 'if' || next === 'with') {
    const node: Node = { kind: next, pipe: pipeOf(words), body: takeBody(next, pieces) }
    return { when: before, otherwise: [node] }
  }
  const { nodes: otherwise, end: last } = takeNodes(pieces)
  if (last?.[0] !== 'end') throw templateError(`the else of a ${kind} has no end`)
  return { when: before, otherwise }
}

function pipeOf(words: readonly string[]): Pipe {
  const left = [...words]
  const pipe = takePipe(left)
  if (left.length > 0) throw templateError(`unexpected "${left[0]}"`)
  return pipe
}

/** Takes words up to a closing parenthesis. */
function takePipe(words: string[]): Pipe {
  const at = words.findIndex((word) => word === ':=' || word === '=')
  const isDeclared = at > 0 && words.slice(0, at).every((word) => /^(?:\$\w*|,)$/.test(word))
  const head = isDeclared ? words.splice(0, at + 1) : []
  const variables = head.filter((word) => word.startsWith('$'))
  const calls: Call[] = []
  do calls.push(takeCall(words))
  while (words[0] === '|' && words.shift() !== undefined)
  return { variables, calls }
}

function takeCall(words: string[]): Call {
  const operands: Operand[] = []
  while (words.length > 0 && words[0] !== '|' && words[0] !== ')') operands.push(takeOperand(words))
  const [first] = operands
  if (first === undefined) throw templateError('a value is missing')
  if (first.kind === 'literal' && operands.length > 1)
    throw templateError('a literal is no function')
  return operands
}

const LITERALS = new Map([
  ['true', true],
  ['false', false],
  ['nil', null],
])

function takeOperand(words: string[]): Operand {
  const word = words.shift() ?? ''
  if (word === '(') return takeParenthesis(words)
  if (/^["`']/.test(word)) return { kind: 'literal', value: unquoted(word) }
  if (/^[+-]?\d/.test(word)) return { kind: 'literal', value: Number(word) }
  const literal = LITERALS.get(word)
  if (literal !== undefined) return { kind: 'literal', value: literal }
  if (word.startsWith('.')) return { kind: 'fields', of: { kind: 'dot' }, names: namesOf(word) }
  if (word.startsWith('$')) {
    const [name = '', ...names] = word.split('.')
    return { kind: 'fields', of: { kind: 'variable', name }, names }
  }
  if (FUNCTIONS.has(word)) return { kind: 'function', name: word }
  throw templateError(`unknown function or action "${word}"`)
}

function takeParenthesis(words: string[]): Operand {
  const pipe = takePipe(words)
  if (words.shift() !== ')') throw templateError('a parenthesis is not closed')
  const names = words[0]?.startsWith('.') === true ? namesOf(words.shift() ?? '') : []
  return { kind: 'fields', of: { kind: 'pipe', pipe }, names }
}

function namesOf(word: string): readonly string[] {
  return word.split('.').filter(Boolean)
}

function unquoted(word: string): string | number {
  const inner = word.slice(1, -1)
  if (word.startsWith('`')) return inner
  const text = inner.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter)
  return word.startsWith("'") ? (text.codePointAt(0) ?? 0) : text
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
}
