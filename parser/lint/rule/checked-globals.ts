import type { Dockerfile } from '../../ast/ast.ts'
import { evaluateGlobals, type GlobalScope } from '../../scope/global-scope.ts'

/** The global arguments as the checks look at them. */
export interface CheckedGlobals extends GlobalScope {
  /** The values without any build argument. */
  readonly defaults: ReadonlyMap<string, string>
  /** Every name that a FROM may use: declared, whether with a value or not, or predefined. */
  readonly names: ReadonlySet<string>
}

/** Evaluates the global arguments with and without build arguments. */
export function checkedGlobals(
  dockerfile: Dockerfile,
  predefined: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
): CheckedGlobals {
  const { scope, args } = evaluateGlobals(dockerfile, predefined, buildArgs)
  const start = new Map([...predefined].map(([key, value]) => [key, buildArgs.get(key) ?? value]))
  const { values: defaults } = evaluateGlobals(dockerfile, start, new Map()).scope
  const names = new Set([...args.map(({ key }) => key), ...scope.values.keys()])
  return { ...scope, defaults, names }
}
