/** Spec: distribution token scope, `repository:NAME:ACTION,ACTION`. */
interface Scope {
  readonly name: string
  readonly actions: readonly string[]
}

/** Reading from a repository. */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`
}

/** Reading from and writing to a repository. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`
}

/** Removing manifests from a repository. */
export function deleteScope(repository: string): string {
  return `repository:${repository}:pull,push,delete`
}

/** True when a token for `granted` serves a request that needs `wanted`. */
export function covers(granted: readonly string[], wanted: readonly string[]): boolean {
  const have = granted.map(parseScope)
  return wanted.every((scope) => {
    const { name, actions } = parseScope(scope)
    return have.some((one) => one.name === name && actions.every((a) => one.actions.includes(a)))
  })
}

/**
 * The scopes of a challenge that may be requested beyond those of a request: some registries know a
 * repository under another name, but no request needs more than pull and push.
 */
export function acceptable(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) =>
    /^repository:[a-z0-9._/-]{1,255}:(?:pull|push|pull,push|push,pull)$/.test(scope),
  )
}

function parseScope(scope: string): Scope {
  const colon = scope.lastIndexOf(':')
  return { name: scope.slice(0, colon), actions: scope.slice(colon + 1).split(',') }
}

/** Listing the repositories of a registry. */
export const CATALOG_SCOPE = 'registry:catalog:*'
