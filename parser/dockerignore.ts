/** What a `.dockerignore` leaves out of a build context. */
export interface IgnoreRules {
  /** `path` is relative to the context root, with `/` and without a leading one. */
  isIgnored(path: string): boolean
  /** False when nothing below the ignored directory `dir` can be included: no need to walk it. */
  mayContainIncluded(dir: string): boolean
}

/** Reads a `.dockerignore`. @throws {TsbuildError} CONTEXT_INVALID for a malformed pattern */
export function parseDockerignore(_text: string): IgnoreRules {
  throw new Error('parseDockerignore is not ready')
}

/** Rules from patterns in `.dockerignore` form, e.g. of `COPY --exclude`. */
export function ignoreRules(_patterns: readonly string[]): IgnoreRules {
  throw new Error('ignoreRules is not ready')
}

/** Go's `filepath.Match`. @throws {TsbuildError} DOCKERFILE_INVALID for a malformed pattern */
export function matchPath(_pattern: string, _path: string): boolean {
  throw new Error('matchPath is not ready')
}
