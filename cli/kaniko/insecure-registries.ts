import { type BuildOptions, instructionGraph } from '#builder'
import { parseReference } from '#registry-client'

/** The registries that names of images mean. @throws {TsbuildError} REFERENCE_INVALID */
export function registriesOf(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => parseReference(name).registry))]
}

/**
 * The registries of the images that a Dockerfile names.
 * @throws {SourceError} when the Dockerfile is wrong
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID
 */
export async function registriesOfBases(options: BuildOptions): Promise<readonly string[]> {
  const { stages } = await instructionGraph(options)
  const refs = stages.flatMap(({ base, sources }) => [base, ...sources.values()])
  return registriesOf(refs.flatMap((ref) => (ref.kind === 'image' ? [ref.name] : [])))
}
