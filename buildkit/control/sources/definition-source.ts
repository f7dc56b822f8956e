import { type Definition, OP, type Op, type SourceOp } from '#buildkit/messages'
import { unsupportedError, usageError } from '#core'
import { resultIn } from '../results/result-id.ts'

/** What a definition stands for, as far as clients hand one over with a Dockerfile. */
export type DefinitionSource =
  | { readonly kind: 'result'; readonly id: string }
  | { readonly kind: 'location'; readonly location: string }
  | { readonly kind: 'folder'; readonly name: string }

/**
 * Reads a definition of one source. Spec: BuildKit, solver/pb/ops.proto and attr.go
 * @throws {TsbuildError} UNSUPPORTED for any other
 */
export function definitionSource(definition: Definition): DefinitionSource {
  const id = resultIn(definition)
  if (id !== undefined) return { kind: 'result', id }
  const ops = definition.def.map((bytes) => OP.decode(bytes))
  const sources = ops.flatMap(({ source }) => (source === undefined ? [] : [source]))
  const [only, ...others] = sources
  if (only === undefined || others.length > 0 || !ops.every(isSource)) {
    throw unsupportedError(
      'a definition of operations (LLB) is understood only where it is one source',
      'hand over a folder, an image, a repository, a URL or the result of another build',
    )
  }
  return sourceOf(only)
}

/** A source, or the end of the graph, which points to it. */
function isSource({ exec, file, build, merge, diff }: Op): boolean {
  return [exec, build, merge, diff].every(({ length }) => length === 0) && file === undefined
}

function sourceOf({ identifier, attrs }: SourceOp): DefinitionSource {
  const [, scheme = '', rest = ''] = /^([a-z-]+):\/\/(.*)$/s.exec(identifier) ?? []
  switch (scheme) {
    case 'docker-image':
    case 'http':
    case 'https':
      return { kind: 'location', location: identifier }
    case 'local':
      return { kind: 'folder', name: rest }
    case 'git': {
      const [, fragment] = /#(.*)$/s.exec(rest) ?? []
      const remote = attrs.get('git.fullurl') ?? `https://${rest.replace(/#.*$/s, '')}`
      return {
        kind: 'location',
        location: fragment === undefined ? remote : `${remote}#${fragment}`,
      }
    }
  }
  throw usageError(`unknown source ${JSON.stringify(identifier.slice(0, 200))}`)
}
