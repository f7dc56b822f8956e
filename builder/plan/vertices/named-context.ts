import { type GitSource, gitSourceName, type HttpSource, httpSourceName } from '#builder/fetch'

/** Files that stand for an image or a stage; the builder knows where a folder is. */
export type NamedContext =
  | { readonly kind: 'folder' }
  | { readonly kind: 'git'; readonly source: GitSource }
  | { readonly kind: 'http'; readonly source: HttpSource }

/** What a vertex that loads files of it is called. */
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
