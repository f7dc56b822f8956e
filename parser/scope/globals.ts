import type { ArgInstruction, Dockerfile } from '../ast/ast.ts'
import { expandNoting } from './expand-noting.ts'

/** Variables by name, in the order of their definition. */
export type Variables = ReadonlyMap<string, string>

/** What FROM lines see. */
export interface Globals {
  readonly values: Variables
  /** The values without any build argument. */
  readonly defaults: Variables
  /** Every name that a FROM may use: declared, whether with a value or not, or predefined. */
  readonly names: ReadonlySet<string>
  /** The ARG that declares a name, the last one if there are several. */
  readonly declarations: ReadonlyMap<string, ArgInstruction>
  /** The names that the default of an ARG asks for. */
  readonly uses: ReadonlyMap<string, ReadonlySet<string>>
}

/** The platform arguments of a build on linux/amd64 for linux/amd64. */
export const PREDEFINED: Variables = new Map([
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

/** Evaluates the ARGs before the first FROM, each of which sees those before it. */
export function evaluateGlobals(
  { globalArgs, escape: escapeChar }: Dockerfile,
  predefined: Variables,
  buildArgs: Variables,
): Globals {
  const start = [...predefined].map(([key, value]) => [key, buildArgs.get(key) ?? value] as const)
  const [values, defaults] = [new Map(start), new Map(start)]
  const declarations = new Map<string, ArgInstruction>()
  const uses = new Map<string, ReadonlySet<string>>()
  for (const instruction of globalArgs) {
    for (const { key, value } of instruction.args) {
      declarations.set(key, instruction)
      const given = buildArgs.get(key)
      if (given !== undefined) values.set(key, given)
      if (value === undefined) continue
      const context = { escape: escapeChar, lookup: (name: string) => values.get(name) }
      const { value: expanded, matched } = expandNoting(value.raw, context)
      if (given === undefined) uses.set(key, matched)
      if (given === undefined && expanded !== undefined) values.set(key, expanded)
      const lookup = (name: string): string | undefined => defaults.get(name)
      const fallback = expandNoting(value.raw, { escape: escapeChar, lookup }).value
      if (fallback !== undefined) defaults.set(key, fallback)
    }
  }
  return {
    values,
    defaults,
    names: new Set([...declarations.keys(), ...values.keys()]),
    declarations,
    uses,
  }
}
