import { unreachable, usageError } from '#core'
import { entriesOf, FUNCTIONS } from './functions.ts'
import type { Call, Node, Operand, Pipe } from './syntax.ts'
import { TEMPLATE_HINT, templateError } from './template-error.ts'
import { isObject, isTrue, textOf, type Value } from './value.ts'

/** Where a part of a template stands. */
interface Scope {
  readonly dot: Value
  /** Of this scope and those around it. */
  readonly variables: Variables
}

/** Variables, the latest first. */
interface Variables {
  readonly values: Map<string, Value>
  readonly outer: Variables | undefined
}

/** What was printed, and whether a loop goes on. */
interface Rendered {
  readonly text: string
  readonly leaves: 'break' | 'continue' | undefined
}

/** @throws {TsbuildError} USAGE for fields that are not there */
export function render(nodes: readonly Node[], data: Value): string {
  const variables = { values: new Map([['$', data]]), outer: undefined }
  return renderAll(nodes, { dot: data, variables }).text
}

function renderAll(nodes: readonly Node[], scope: Scope): Rendered {
  let text = ''
  for (const node of nodes) {
    const part = renderOne(node, scope)
    text += part.text
    if (part.leaves !== undefined) return { text, leaves: part.leaves }
  }
  return { text, leaves: undefined }
}

function renderOne(node: Node, scope: Scope): Rendered {
  switch (node.kind) {
    case 'text':
      return { text: node.text, leaves: undefined }
    case 'value': {
      const value = evaluate(node.pipe, scope)
      return { text: node.pipe.variables.length > 0 ? '' : textOf(value), leaves: undefined }
    }
    case 'break':
    case 'continue':
      return { text: '', leaves: node.kind }
    case 'if':
    case 'with': {
      const inner = nested(scope, scope.dot)
      const value = evaluate(node.pipe, inner)
      if (!isTrue(value)) return renderAll(node.body.otherwise, inner)
      return renderAll(node.body.when, node.kind === 'with' ? { ...inner, dot: value } : inner)
    }
    case 'range':
      return renderRange(node, scope)
    default:
      return unreachable(node)
  }
}

function renderRange({ pipe, body }: Extract<Node, { body: object }>, scope: Scope): Rendered {
  const entries = entriesOf(evaluate({ ...pipe, variables: [] }, scope))
  if (entries.length === 0) return renderAll(body.otherwise, nested(scope, scope.dot))
  let text = ''
  for (const [key, item] of entries) {
    const inner = nested(scope, item)
    const named = pipe.variables.length === 1 ? [item] : [key, item]
    for (const [index, name] of pipe.variables.entries()) {
      inner.variables.values.set(name, named[index] ?? null)
    }
    const part = renderAll(body.when, inner)
    text += part.text
    if (part.leaves === 'break') break
  }
  return { text, leaves: undefined }
}

function nested({ variables }: Scope, dot: Value): Scope {
  return { dot, variables: { values: new Map(), outer: variables } }
}

function evaluate({ calls, variables }: Pipe, scope: Scope): Value {
  let value: Value | undefined
  for (const call of calls) value = evaluateCall(call, value, scope)
  for (const name of variables) scope.variables.values.set(name, value ?? null)
  return value ?? null
}

/** @param piped result of the call before, which is the last argument */
function evaluateCall([first, ...rest]: Call, piped: Value | undefined, scope: Scope): Value {
  if (first === undefined) return null
  const args = [
    ...rest.map((operand) => operandValue(operand, [], scope)),
    ...(piped === undefined ? [] : [piped]),
  ]
  return operandValue(first, args, scope)
}

function operandValue(operand: Operand, args: readonly Value[], scope: Scope): Value {
  switch (operand.kind) {
    case 'literal':
      return operand.value
    case 'function':
      if (args.length === 0) throw templateError(`${operand.name} needs a value`)
      return FUNCTIONS.get(operand.name)?.(args) ?? null
    case 'fields': {
      const base = baseOf(operand.of, scope)
      const { names } = operand
      return names.reduce<Value>(
        (value, name, index) => field(value, name, index === names.length - 1 ? args : []),
        base,
      )
    }
    default:
      return unreachable(operand)
  }
}

function baseOf(of: Extract<Operand, { kind: 'fields' }>['of'], scope: Scope): Value {
  if (of.kind === 'dot') return scope.dot
  if (of.kind === 'pipe') return evaluate(of.pipe, nested(scope, scope.dot))
  for (let level: Variables | undefined = scope.variables; level; level = level.outer) {
    const value = level.values.get(of.name)
    if (value !== undefined) return value
  }
  throw templateError(`undefined variable "${of.name}"`)
}

function field(value: Value, name: string, args: readonly Value[]): Value {
  const found = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  if (typeof found === 'function') return found(args)
  if (found !== undefined) return found
  const known = isObject(value) ? `; there are ${Object.keys(value).join(', ')}` : ''
  throw usageError(`the format asks for ${name}, which is not there${known}`, TEMPLATE_HINT)
}
