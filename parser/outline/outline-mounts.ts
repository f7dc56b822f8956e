import { parseBoolean } from '#core'
import type { RunMount } from '../ast/ast.ts'
import { cleanPath } from '../patterns/path-pattern.ts'
import { expandIn, type StageScope } from '../scope/stage-scope.ts'
import type { ScopedStage } from '../scope/walk-stages.ts'
import type { SourceRange } from '../text/source.ts'

/** A secret, SSH agent or cache that a step mounts. */
export interface OutlineMount {
  readonly name: string
  readonly isRequired: boolean
  /** The first step that asks for it, of the stage nearest to the target. */
  readonly range: SourceRange
}

/** The secrets, agents and caches that the steps of a build mount, each once. */
export interface OutlineMounts {
  readonly secrets: readonly OutlineMount[]
  readonly ssh: readonly OutlineMount[]
  readonly caches: readonly OutlineMount[]
}

/** The mounts of all stages, by the names that they have in the build. */
export function outlineMounts(stages: readonly ScopedStage[]): OutlineMounts {
  // Of several mounts of a name, that of the stage nearest to the target counts.
  const all = stages
    .toReversed()
    .flatMap(({ steps }) => steps)
    .flatMap(({ instruction, scope }) => {
      if (instruction.kind !== 'run') return []
      const { range } = instruction
      return instruction.mounts.map((mount) => ({ ...readMount(mount, scope), range }))
    })
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
    return (key && expandIn(scope, fields.get(key) ?? '').value) ?? ''
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
