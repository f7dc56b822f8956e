import type { Endpoint } from '../endpoint/endpoint.ts'

/** A repository of a registry. */
export interface RepositoryRef {
  readonly endpoint: Endpoint
  /** Without the registry: `library/alpine`. */
  readonly name: string
}

/** `host/name:tag` or `host/name@digest`. */
export function taggedName({ endpoint, name }: RepositoryRef, tagOrDigest: string): string {
  return formatTaggedName({ registry: endpoint.registry, name }, tagOrDigest)
}

/** The same for a repository of which only the names are known. */
function formatTaggedName(
  repository: { readonly registry: string; readonly name: string },
  tagOrDigest: string,
): string {
  const separator = tagOrDigest.includes(':') ? '@' : ':'
  return `${repository.registry}/${repository.name}${separator}${tagOrDigest}`
}
