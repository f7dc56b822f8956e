import type { RunMount } from './ast.ts'
import { parseBoolean } from './boolean.ts'
import type { InstructionGraph } from './graph.ts'
import type { ScopeInput, StageScope } from './lint/stage-scope.ts'
import { walkSteps } from './lint/walk.ts'
import { cleanPath } from './path-pattern.ts'
import type { SourceRange } from './source.ts'

export interface OutlineMount {
  readonly name: string
  readonly isRequired: boolean
  /** The first step that asks for it. */
  readonly range: SourceRange
}

/** What the steps of a build ask for, each once, in file order. */
export interface OutlineMounts {
  readonly secrets: readonly OutlineMount[]
  readonly ssh: readonly OutlineMount[]
  readonly caches: readonly OutlineMount[]
}

/** The mounts of all linked stages, by the names that they go by in the build. */
export function outlineMounts(graph: InstructionGraph, input: ScopeInput): OutlineMounts {
  type Found = Map<string, OutlineMount>
  const found: Record<'secret' | 'ssh' | 'cache', Found> = {
    secret: new Map(),
    ssh: new Map(),
    cache: new Map(),
  }
  for (const { instruction, scope } of walkSteps(graph, input, () => undefined)) {
    if (instruction.kind === 'arg') for (const _ of scope.declare(instruction));
    if (instruction.kind !== 'run') continue
    for (const mount of instruction.mounts) {
      const { type, name, isRequired } = readMount(mount, scope)
      if (type !== 'secret' && type !== 'ssh' && type !== 'cache') continue
      const { range } = instruction
      if (!found[type].has(name)) found[type].set(name, { name, isRequired, range })
    }
  }
  const { secret, ssh, cache } = found
  return { secrets: [...secret.values()], ssh: [...ssh.values()], caches: [...cache.values()] }
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
