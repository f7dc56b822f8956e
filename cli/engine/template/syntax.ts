import type { Value } from './value.ts'

/** A part of a template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipe: Pipe }
  | { readonly kind: 'if' | 'with' | 'range'; readonly pipe: Pipe; readonly body: Body }
  | { readonly kind: 'break' | 'continue' }

/** What is done, and what is done otherwise. */
export interface Body {
  readonly when: readonly Node[]
  readonly otherwise: readonly Node[]
}

/** Calls of which each gets the result of the one before; variables get the last result. */
export interface Pipe {
  readonly variables: readonly string[]
  readonly calls: readonly Call[]
}

/** The first operand, called with the others. */
export type Call = readonly Operand[]

/** What a call is made of. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'function'; readonly name: string }
  /** Fields of the data (`variable` is absent), of a variable or of a pipe's result. */
  | { readonly kind: 'fields'; readonly of: FieldBase; readonly names: readonly string[] }

/** Where fields are looked for. */
export type FieldBase =
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }
