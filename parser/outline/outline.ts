import type { Dockerfile } from '../ast/ast.ts'
import { linkStages } from '../graph/graph.ts'
import { descriptionOf } from '../lines/instruction-comments.ts'
import type { DeclaredArg } from '../scope/declared-arg.ts'
import { expandTracked } from '../scope/expanded.ts'
import {
  DEFAULT_PREDEFINED,
  type EvaluatedGlobals,
  evaluateGlobals,
} from '../scope/global-scope.ts'
import { type ScopedStage, walkStages } from '../scope/walk-stages.ts'
import type { SourceRange } from '../text/source.ts'
import { type OutlineMounts, outlineMounts } from './outline-mounts.ts'

/** What can be given to the build of a target. Each list is in file order. */
export interface Outline extends OutlineMounts {
  /** Name of the target. */
  readonly name: string | undefined
  readonly description: string | undefined
  readonly args: readonly OutlineArg[]
}

/** A build argument. */
export interface OutlineArg {
  readonly name: string
  readonly description: string | undefined
  /** With the build arguments and defaults that were given. */
  readonly value: string | undefined
  readonly range: SourceRange
}

/** What is given besides the Dockerfile. */
export interface OutlineOptions {
  /** Name of the stage; the last one unless given. */
  readonly target?: string | undefined
  readonly buildArgs?: Readonly<Record<string, string>> | undefined
  /** Values of BUILDPLATFORM and so on; those of linux/amd64 unless given. */
  readonly predefined?: ReadonlyMap<string, string> | undefined
}

/**
 * Lists the parameters of a target and of what it needs. Images are not asked for: an ARG whose
 * default takes something from the environment of an image has no value here.
 * @throws {SourceError} DOCKERFILE_INVALID; USAGE for a target that does not exist
 */
export function outlineTarget(dockerfile: Dockerfile, options: OutlineOptions = {}): Outline {
  const buildArgs = new Map(Object.entries(options.buildArgs ?? {}))
  const predefined = options.predefined ?? DEFAULT_PREDEFINED
  const globals = evaluateGlobals(dockerfile, predefined, buildArgs)
  const context = { variables: globals.scope.values, escape: dockerfile.escape }
  const graph = linkStages(dockerfile, {
    target: options.target,
    expand: ({ raw }) => expandTracked(raw, context).value ?? '',
  })
  const stages = [...walkStages(graph, globals.scope, () => undefined)]
  const { stage } = graph.target
  return {
    name: stage.name,
    description: stage.name === undefined ? undefined : descriptionOf(stage.from, stage.name),
    args: argsOf(stages, globals, dockerfile),
    ...outlineMounts(stages),
  }
}

/** Of several ARGs of a name, that of the stage nearest to the target counts, global ones last. */
function argsOf(
  stages: readonly ScopedStage[],
  { scope, args: globalArgs }: EvaluatedGlobals,
  dockerfile: Dockerfile,
): readonly OutlineArg[] {
  const context = { variables: scope.values, escape: dockerfile.escape }
  const inherited = new Set(
    stages.flatMap(({ linked: { stage } }) =>
      [stage.from.image, stage.from.platform].flatMap((word) =>
        word === undefined ? [] : [...expandTracked(word.raw, context).matched],
      ),
    ),
  )
  const argsIn = ({ steps }: ScopedStage): readonly DeclaredArg[] =>
    steps.flatMap(({ args }) => args)
  for (const { key, isInherited } of stages.flatMap(argsIn)) if (isInherited) inherited.add(key)
  const found = new Map<string, OutlineArg>()
  for (const arg of stages.toReversed().flatMap(argsIn)) {
    if (!arg.isInherited && !found.has(arg.key)) found.set(arg.key, toArg(arg))
  }
  const declared = new Map(globalArgs.map((arg) => [arg.key, arg]))
  const usesOf = new Map(
    globalArgs.flatMap(({ key, fallback }) =>
      fallback === undefined ? [] : [[key, fallback.matched] as const],
    ),
  )
  for (const name of inherited) {
    // The arguments in the default of an argument are parameters as well.
    for (const used of usesOf.get(name) ?? []) inherited.add(used)
    const arg = declared.get(name)
    if (arg === undefined || found.has(name)) continue
    found.set(name, toArg({ ...arg, value: scope.values.get(name) }))
  }
  return [...found.values()].toSorted(byLine)
}

function toArg({ key, value, instruction }: DeclaredArg): OutlineArg {
  const description = descriptionOf(instruction, key)
  return { name: key, value, description, range: instruction.range }
}

function byLine(a: { readonly range: SourceRange }, b: { readonly range: SourceRange }): number {
  return a.range.start.line - b.range.start.line
}
