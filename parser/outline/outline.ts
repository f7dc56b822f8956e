import type { ArgInstruction, Dockerfile } from '../ast/ast.ts'
import { type InstructionGraph, type LinkedStage, linkStages } from '../graph/graph.ts'
import { descriptionOf } from '../lines/instruction-comments.ts'
import { expandNoting } from '../scope/expand-noting.ts'
import { evaluateGlobals, type Globals, PREDEFINED, type Variables } from '../scope/globals.ts'
import { walkSteps } from '../scope/walk.ts'
import type { SourceRange } from '../text/source.ts'
import { type OutlineMounts, outlineMounts } from './outline-mounts.ts'

/** What can be given to the build of a target. Each list is in file order. */
export interface Outline extends OutlineMounts {
  /** Name of the target. */
  readonly name: string | undefined
  readonly description: string | undefined
  readonly args: readonly OutlineArg[]
}

export interface OutlineArg {
  readonly name: string
  readonly description: string | undefined
  /** With the build arguments and defaults that were given. */
  readonly value: string | undefined
  readonly range: SourceRange
}

export interface OutlineOptions {
  /** Name of the stage; the last one unless given. */
  readonly target?: string | undefined
  readonly buildArgs?: Readonly<Record<string, string>> | undefined
  /** Values of BUILDPLATFORM and so on; those of linux/amd64 unless given. */
  readonly predefined?: Variables | undefined
}

/**
 * Lists the parameters of a target and of what it needs. Images are not asked for: an ARG whose
 * default takes something from the environment of an image has no value here.
 * @throws {SourceError} DOCKERFILE_INVALID; USAGE for a target that does not exist
 */
export function outlineTarget(dockerfile: Dockerfile, options: OutlineOptions = {}): Outline {
  const buildArgs = new Map(Object.entries(options.buildArgs ?? {}))
  const globals = evaluateGlobals(dockerfile, options.predefined ?? PREDEFINED, buildArgs)
  const lookup = (name: string): string | undefined => globals.values.get(name)
  const context = { lookup, escape: dockerfile.escape }
  const graph = linkStages(dockerfile, {
    target: options.target,
    expand: ({ raw }) => expandNoting(raw, context).value ?? '',
  })
  const { stage } = graph.target
  return {
    name: stage.name,
    description: stage.name === undefined ? undefined : descriptionOf(stage.from, stage.name),
    args: argsOf(graph, globals, buildArgs),
    ...outlineMounts(graph, { escape: dockerfile.escape, globals, buildArgs }),
  }
}

/** The nearer to the target an ARG of a name is declared, the more it says. */
function argsOf(
  graph: InstructionGraph,
  globals: Globals,
  buildArgs: Variables,
): readonly OutlineArg[] {
  const input = { escape: graph.dockerfile.escape, globals, buildArgs }
  const declared = new Map<LinkedStage, OutlineArg[]>()
  const inherited = new Set(graph.stages.flatMap((linked) => namesInFrom(linked, globals, graph)))
  for (const { linked, instruction, scope } of walkSteps(graph, input, () => undefined)) {
    if (instruction.kind !== 'arg') continue
    const args = declared.get(linked) ?? []
    declared.set(linked, args)
    for (const { key, value, isInherited } of scope.declare(instruction)) {
      if (isInherited) inherited.add(key)
      else args.push(toArg(key, value, instruction))
    }
  }
  const found = new Map<string, OutlineArg>()
  const stages = [...declared].toSorted(([a], [b]) => b.stage.index - a.stage.index)
  for (const arg of stages.flatMap(([, args]) => args)) {
    if (!found.has(arg.name)) found.set(arg.name, arg)
  }
  for (const name of inherited) {
    // What an argument is made of is a parameter as well.
    for (const used of globals.uses.get(name) ?? []) inherited.add(used)
    const instruction = globals.declarations.get(name)
    if (instruction === undefined || found.has(name)) continue
    found.set(name, toArg(name, globals.values.get(name), instruction))
  }
  return [...found.values()].toSorted(byPlace)
}

function toArg(name: string, value: string | undefined, instruction: ArgInstruction): OutlineArg {
  return { name, value, description: descriptionOf(instruction, name), range: instruction.range }
}

function namesInFrom(
  { stage: { from } }: LinkedStage,
  { values }: Globals,
  { dockerfile }: InstructionGraph,
): readonly string[] {
  const context = { lookup: (name: string) => values.get(name), escape: dockerfile.escape }
  return [from.image, from.platform].flatMap((word) =>
    word === undefined ? [] : [...expandNoting(word.raw, context).matched],
  )
}

function byPlace(a: { readonly range: SourceRange }, b: { readonly range: SourceRange }): number {
  return a.range.start.line - b.range.start.line
}
