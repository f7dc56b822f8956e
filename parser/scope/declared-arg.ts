import type { ArgDeclaration, ArgInstruction } from '../ast/ast.ts'
import { type ExpandContext, type Expanded, expandTracked, type Variables } from './expanded.ts'

/** One variable of an ARG after evaluation. */
export interface DeclaredArg {
  readonly key: string
  /** `undefined` when there is no build argument, no default and no inherited value. */
  readonly value: string | undefined
  /** The default after expansion; `undefined` when there is none or a build argument replaces it. */
  readonly fallback: Expanded | undefined
  /** True when the ARG has no default and an outer variable of its name has a value. */
  readonly isInherited: boolean
  readonly instruction: ArgInstruction
  /** The part of the instruction that declares the variable. */
  readonly declaration: ArgDeclaration
}

/** What the value of an ARG is taken from besides its own default. */
export interface ArgSources {
  readonly buildArgs: Variables
  /** Values for an ARG without a default. */
  readonly inherited: Variables
}

/** Evaluates one variable: a build argument wins over the default, the default over what is inherited. */
export function evaluateArg(
  declaration: ArgDeclaration,
  instruction: ArgInstruction,
  { buildArgs, inherited, ...context }: ArgSources & ExpandContext,
): DeclaredArg {
  const { key, value: written } = declaration
  const given = buildArgs.get(key)
  const isExpanded = given === undefined && written !== undefined
  const fallback = isExpanded ? expandTracked(written.raw, context) : undefined
  const isInherited = written === undefined && inherited.has(key)
  const value = given ?? (isInherited ? inherited.get(key) : fallback?.value)
  return { key, value, fallback, isInherited, instruction, declaration }
}
