import { type GitSource, gitSourceName, type HttpSource, httpSourceName } from '#builder/fetch'

/** Files that replace an image or a stage; the path of a folder is with the builder. */
export type NamedContext =
  | { readonly kind: 'folder' }
  | { readonly kind: 'git'; readonly source: GitSource }
  | { readonly kind: 'http'; readonly source: HttpSource }

/** The name of a vertex that loads files of a named context. */
export function loadingName(name: string, context: NamedContext): string {
  switch (context.kind) {
    case 'folder':
      return `[context ${name}] load from client`
    case 'git':
      return `[context ${name}] ${gitSourceName(context.source)}`
    case 'http':
      return `[context ${name}] ${httpSourceName(context.source)}`
  }
}
