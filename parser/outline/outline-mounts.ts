import type { RunMount } from '../ast/ast.ts'
import type { InstructionGraph, LinkedStage } from '../graph/graph.ts'
import { cleanPath } from '../patterns/path-pattern.ts'
import type { ScopeInput, StageScope } from '../scope/stage-scope.ts'
import { walkSteps } from '../scope/walk.ts'
import { parseBoolean } from '../text/boolean.ts'
import type { SourceRange } from '../text/source.ts'

export interface OutlineMount {
  readonly name: string
  readonly isRequired: boolean
  /** The first step that asks for it, of the stage nearest to the target. */
  readonly range: SourceRange
}

/** What the steps of a build ask for, each once. */
export interface OutlineMounts {
  readonly secrets: readonly OutlineMount[]
  readonly ssh: readonly OutlineMount[]
  readonly caches: readonly OutlineMount[]
}

/** The mounts of all linked stages, by the names that they go by in the build. */
export function outlineMounts(graph: InstructionGraph, input: ScopeInput): OutlineMounts {
  const uses = new Map<LinkedStage, (Named & { readonly range: SourceRange })[]>()
  for (const { linked, instruction, scope } of walkSteps(graph, input, () => undefined)) {
    if (instruction.kind === 'arg') for (const _ of scope.declare(instruction));
    if (instruction.kind !== 'run') continue
    const { range } = instruction
    const named = instruction.mounts.map((mount) => ({ ...readMount(mount, scope), range }))
    uses.set(linked, [...(uses.get(linked) ?? []), ...named])
  }
  // The nearer to the target a mount is, the more it says.
  const all = [...uses]
    .toSorted(([a], [b]) => b.stage.index - a.stage.index)
    .flatMap(([, mounts]) => mounts)
  const ofType = (wanted: string): readonly OutlineMount[] => {
    const found = new Map<string, OutlineMount>()
    for (const { type, name, isRequired, range } of all) {
      if (type === wanted && !found.has(name)) found.set(name, { name, isRequired, range })
    }
    return [...found.values()].toSorted((a, b) => a.range.start.line - b.range.start.line)
  }
  return { secrets: ofType('secret'), ssh: ofType('ssh'), caches: ofType('cache') }
}

interface Named {
  readonly type: string
  readonly name: string
  readonly isRequired: boolean
}

/** A secret without an id is named after its file, a cache without one after its folder. */
function readMount({ fields }: RunMount, scope: StageScope): Named {
  const field = (...keys: readonly string[]): string => {
    const key = keys.find((one) => fields.get(one) !== undefined)
    return (key && scope.expand(fields.get(key) ?? '').value) ?? ''
  }
  const type = field('type').toLowerCase()
  const target = field('target', 'dst', 'destination')
  const id = field('id')
  const isRequired = parseBoolean(field('required')) ?? false
  if (type === 'ssh') return { type, name: id || 'default', isRequired }
  if (type === 'cache') return { type, name: id || cleanPath(target), isRequired: false }
  const path = cleanPath(target)
  const name = field('source', 'src') || id || path.slice(path.lastIndexOf('/') + 1)
  return { type, name, isRequired }
}
