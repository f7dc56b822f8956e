import { PersistentMap } from '#core'
import type { ArgDeclaration, ArgInstruction, Dockerfile, EnvInstruction } from '../ast/ast.ts'
import { type DeclaredArg, evaluateArg } from './declared-arg.ts'
import { type ExpandContext, type Expanded, expandTracked } from './expanded.ts'
import type { GlobalScope } from './global-scope.ts'

/** What is defined at one place of a stage. A value: ARG and ENV give the scope behind them. */
export interface StageScope {
  readonly escape: Dockerfile['escape']
  /** The environment of the image: that of its base, then ENV. */
  readonly env: PersistentMap<string>
  /** What words expand from and steps see: `env` and arguments, the later one of a name. */
  readonly variables: PersistentMap<string>
  /** Characters of the names and values in `variables`. */
  readonly length: number
  /** Declared arguments, in order; one without a value is empty. */
  readonly args: PersistentMap<string>
  /** False when the base image is not known, which may define any variable. */
  readonly isComplete: boolean
}

/** A key and value of ENV after expansion. */
export interface ExpandedEntry {
  readonly key: Expanded
  readonly value: Expanded
}

type Entries = readonly (readonly [string, string])[]

/** Build arguments that are for the builder itself: no stage sees them, even where they are declared. */
const UNSEEN_NAMES: ReadonlySet<string> = new Set([
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
])

/** False for a build argument that never becomes a variable of a stage. */
export function isSeen(name: string): boolean {
  return !UNSEEN_NAMES.has(name)
}

/** `KEY=value` lines as entries; a line without `=` is a variable with an empty value. */
export function parseEnv(lines: readonly string[]): Entries {
  return lines.map((line) => {
    const at = line.indexOf('=')
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
  })
}

/** The scope of a stage on an image with the environment `entries`. */
export function stageScope(
  entries: Iterable<readonly [string, string]>,
  { escape: mark, isComplete }: Pick<StageScope, 'escape' | 'isComplete'>,
): StageScope {
  const env = PersistentMap.of(entries)
  const length = Array.from(env).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  const args = PersistentMap.of<string>([])
  return { escape: mark, env, variables: PersistentMap.of(env), length, args, isComplete }
}

/**
 * The scope of a stage on another one: its arguments are inherited. An ENV that an argument of its name
 * had hidden counts again, as it does for a build on the finished image.
 */
export function childScope(parent: StageScope): StageScope {
  const hidden = Array.from(parent.args).flatMap(([key]) => {
    const value = parent.env.get(key)
    return value === undefined || value === parent.variables.get(key) ? [] : [[key, value] as const]
  })
  return withVariables(parent, hidden)
}

/** Declares one variable of an ARG. Unlike the words of ENV, each default sees those before it. */
export function declareArg(
  scope: StageScope,
  one: ArgDeclaration,
  context: { readonly instruction: ArgInstruction; readonly globals: GlobalScope },
): { readonly declared: DeclaredArg; readonly scope: StageScope } {
  const { buildArgs, values: inherited } = context.globals
  const sources = { buildArgs, inherited, ...contextOf(scope) }
  const declared = evaluateArg(one, context.instruction, sources)
  const { key, value } = declared
  const args = scope.args.with([[key, value ?? '']])
  const isSet = value !== undefined && isSeen(key)
  return { declared, scope: { ...(isSet ? withVariables(scope, [[key, value]]) : scope), args } }
}

/**
 * Applies an ENV, of which every word sees what is defined before the instruction. An entry whose key
 * cannot be expanded is left out; a value that cannot be expanded is empty.
 */
export function applyEnv(
  scope: StageScope,
  instruction: EnvInstruction,
): { readonly entries: readonly ExpandedEntry[]; readonly scope: StageScope } {
  const entries = instruction.entries.map(({ key, value }) => {
    return { key: expandIn(scope, key.raw), value: expandIn(scope, value.raw) }
  })
  const set = entries.flatMap(({ key, value }) => {
    return key.value === undefined ? [] : [[key.value, value.value ?? ''] as const]
  })
  return { entries, scope: { ...withVariables(scope, set), env: scope.env.with(set) } }
}

/** Expands a word of an instruction. */
export function expandIn(scope: StageScope, raw: string): Expanded {
  return expandTracked(raw, contextOf(scope))
}

/** What the words of an instruction expand from. */
export function contextOf({ variables, escape: mark }: StageScope): ExpandContext {
  return { variables, escape: mark }
}

function withVariables(scope: StageScope, entries: Entries): StageScope {
  const variables = scope.variables.with(entries)
  let { length } = scope
  for (const key of new Set(entries.map(([name]) => name))) {
    const before = scope.variables.get(key)
    const after = variables.get(key) ?? ''
    length += after.length - (before === undefined ? -key.length : before.length)
  }
  return { ...scope, variables, length }
}
