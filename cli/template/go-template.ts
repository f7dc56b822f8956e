/** As much of Go's text/template as `docker inspect --format` needs in practice. */
import { isJsonObject, type Json } from '#core'
import { usageError } from '../arguments/flags.ts'

/** A part of a template. */
type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly words: readonly string[] }
  | { readonly kind: 'range'; readonly words: readonly string[]; readonly body: readonly Node[] }

const HINT =
  'it may have {{.Field}}, {{json .Field}}, {{join .List ","}}, {{index .List 0}}, {{len .List}} and {{range .List}}…{{end}}'
const ACTION = /\{\{((?:"(?:[^"\\]|\\.)*"|[^}"])*)\}\}/g
const WORD = /"(?:[^"\\]|\\.)*"|[^\s"]+/g

/** A template that was read. */
export type Template = (data: Json) => string

/** @throws {TsbuildError} USAGE for what is not known, before anything is read; and for fields that are not there */
export function parseTemplate(text: string): Template {
  const tokens = tokensOf(text)
  const nodes = parseNodes(tokens, false)
  return (data) => render(nodes, data)
}

function tokensOf(text: string): Node[] {
  const tokens: Node[] = []
  let at = 0
  for (const match of text.matchAll(ACTION)) {
    tokens.push({ kind: 'text', text: text.slice(at, match.index) })
    tokens.push({ kind: 'value', words: match[1]?.match(WORD) ?? [] })
    at = match.index + match[0].length
  }
  tokens.push({ kind: 'text', text: text.slice(at) })
  const left = tokens.some((one) => one.kind === 'text' && one.text.includes('{{'))
  if (left) throw templateError('an action is not closed')
  return tokens
}

/** Takes tokens up to the end of the text, or of a range. */
function parseNodes(tokens: Node[], isInside: boolean): readonly Node[] {
  const nodes: Node[] = []
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    const [first, ...words] = token.kind === 'value' ? token.words : []
    if (first === 'end' && isInside) return nodes
    if (first === 'range') nodes.push({ kind: 'range', words, body: parseNodes(tokens, true) })
    else {
      if (token.kind === 'value') checkCall(token.words)
      nodes.push(token)
    }
  }
  if (isInside) throw templateError('a range has no end')
  return nodes
}

const FUNCTIONS = new Map<string, (args: readonly Json[]) => string | Json>([
  ['json', ([value = null]) => JSON.stringify(value)],
  [
    'join',
    ([value, separator]) =>
      listOf(value)
        .map(textOf)
        .join(textOf(separator ?? '')),
  ],
  ['index', ([value = null, ...keys]) => keys.reduce(item, value)],
  ['len', ([value]) => (typeof value === 'string' ? value.length : sizeOf(value))],
])

function checkCall(words: readonly string[]): void {
  const [first] = words
  if (first === undefined) throw templateError('an action is empty')
  if (words.length === 1 && isOperand(first)) return
  if (!FUNCTIONS.has(first)) throw templateError(`unknown function or action "${first}"`)
  const wrong = words.slice(1).find((word) => !isOperand(word))
  if (wrong !== undefined) throw templateError(`cannot use "${wrong}"`)
  if (words.length === 1) throw templateError(`${first} needs a value`)
}

function isOperand(word: string): boolean {
  return /^(?:\.|(?:\.\w+)+|"(?:[^"\\]|\\.)*"|\d+)$/.test(word)
}

function render(nodes: readonly Node[], data: Json): string {
  const parts = nodes.map((node) => {
    if (node.kind === 'text') return node.text
    if (node.kind === 'value') return textOf(evaluate(node.words, data))
    return listOf(evaluate(node.words, data))
      .map((one) => render(node.body, one))
      .join('')
  })
  return parts.join('')
}

function evaluate(words: readonly string[], data: Json): Json {
  const [first = '.', ...args] = words
  const call = FUNCTIONS.get(first)
  if (call !== undefined) return call(args.map((arg) => operand(arg, data)))
  return operand(first, data)
}

function operand(word: string, data: Json): Json {
  if (word.startsWith('"')) return JSON.parse(word) as string
  if (!word.startsWith('.')) return Number(word)
  return word.split('.').filter(Boolean).reduce(item, data)
}

function item(value: Json, key: Json): Json {
  if (Array.isArray(value)) {
    const found = value[Number(key)]
    if (found !== undefined) return found
    throw templateError(`a list of ${value.length} has no item ${key}`)
  }
  const isThere = isJsonObject(value) && Object.hasOwn(value, String(key))
  const found = isThere ? value[String(key)] : undefined
  if (found !== undefined) return found
  const known = isJsonObject(value) ? `; there are ${Object.keys(value).join(', ')}` : ''
  throw usageError(`the format asks for ${textOf(key)}, which is not there${known}`, HINT)
}

/** What range goes through: of an object its values. */
function listOf(value: Json | undefined): readonly Json[] {
  if (Array.isArray(value)) return value
  return isJsonObject(value ?? null) ? Object.values(value as Record<string, Json>) : []
}

function sizeOf(value: Json | undefined): number {
  return listOf(value).length
}

/** As Go's fmt prints values. */
function textOf(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(textOf).join(' ')}]`
  if (!isJsonObject(value)) return String(value)
  const keys = Object.keys(value).sort()
  return `map[${keys.map((key) => `${key}:${textOf(value[key] ?? null)}`).join(' ')}]`
}

function templateError(what: string) {
  return usageError(`invalid format: ${what}`, HINT)
}
