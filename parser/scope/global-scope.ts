import type { Dockerfile } from '../ast/ast.ts'
import { type DeclaredArg, evaluateArg } from './declared-arg.ts'

/** What FROM lines see, and what an ARG of a stage without a default falls back to. */
export interface GlobalScope {
  /** Platform arguments first, then the ARGs before the first FROM. */
  readonly values: ReadonlyMap<string, string>
  readonly buildArgs: ReadonlyMap<string, string>
}

/** The global scope, and the evaluation of each of its ARGs in file order. */
export interface EvaluatedGlobals {
  readonly scope: GlobalScope
  readonly args: readonly DeclaredArg[]
}

/** The platform arguments of a build on linux/amd64 for linux/amd64. */
export const DEFAULT_PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['BUILDPLATFORM', 'linux/amd64'],
  ['BUILDOS', 'linux'],
  ['BUILDOSVERSION', ''],
  ['BUILDARCH', 'amd64'],
  ['BUILDVARIANT', ''],
  ['TARGETPLATFORM', 'linux/amd64'],
  ['TARGETOS', 'linux'],
  ['TARGETOSVERSION', ''],
  ['TARGETARCH', 'amd64'],
  ['TARGETVARIANT', ''],
  ['TARGETSTAGE', 'default'],
])

/**
 * Evaluates the ARGs before the first FROM, each of which sees those before it. Pure: an ARG whose
 * default cannot be expanded has no value and leaves the value of an earlier one.
 */
export function evaluateGlobals(
  { globalArgs, escape: mark }: Dockerfile,
  predefined: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
): EvaluatedGlobals {
  const values = new Map([...predefined].map(([key, value]) => [key, buildArgs.get(key) ?? value]))
  const sources = { buildArgs, inherited: values, variables: values, escape: mark }
  const args = globalArgs.flatMap((instruction) =>
    instruction.args.map((one) => {
      const arg = evaluateArg(one, instruction, sources)
      if (arg.value !== undefined) values.set(arg.key, arg.value)
      return arg
    }),
  )
  return { scope: { values, buildArgs }, args }
}
