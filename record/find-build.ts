import { TsbuildError } from '#core'
import type { BuildRecord } from './build-record.ts'

/** The latest build, whichever that is. */
const LATEST = 'latest'

/**
 * The build that a word means: `latest`, an id, or how one begins.
 * @param builds the latest first
 * @throws {TsbuildError} NOT_FOUND, USAGE where several begin so
 */
export function findBuild(word: string, builds: readonly BuildRecord[]): BuildRecord {
  const found =
    word === LATEST ? builds.slice(0, 1) : builds.filter(({ id }) => id.startsWith(word))
  const [first, second] = found
  if (first !== undefined && (second === undefined || first.id === word)) return first
  if (second !== undefined) {
    throw new TsbuildError(`several builds begin with ${JSON.stringify(word)}`, {
      code: 'USAGE',
      hint: `write more of its id: ${first?.id} or ${second.id}`,
    })
  }
  throw new TsbuildError(
    builds.length === 0
      ? 'no build is remembered in which a step ran'
      : `no build ${JSON.stringify(word)} is remembered`,
    { code: 'NOT_FOUND', hint: 'tsbuild builds lists those of this store (--root)' },
  )
}
