import { unsupportedError, usageError } from '#core'
import { type Attributes, textOf, withPrefix } from './attributes.ts'

/** Files of a client: a folder that it sends. */
export interface ClientFolder {
  readonly kind: 'folder'
  /** The name by which the client knows it. */
  readonly name: string
}

/** What a build gets files from. */
export type FrontendSource =
  | ClientFolder
  /** An image, a repository or a URL, as `BuildOptions` has it. */
  | { readonly kind: 'location'; readonly location: string }
  /** A file that the client sends when it is asked: from its standard input. */
  | { readonly kind: 'upload'; readonly url: string }
  /** An image of a folder of the client in the layout of OCI. */
  | { readonly kind: 'layout'; readonly reference: string }
  /** The result of another build. */
  | { readonly kind: 'input'; readonly name: string }

/** Where a build gets its files. */
export interface FrontendSources {
  readonly context: FrontendSource
  /** A folder in a context that is no folder of the client. */
  readonly contextFolder: string | undefined
  /** Where the Dockerfile is: absent for a context that has its own. */
  readonly dockerfile: ClientFolder | undefined
  readonly filename: string
  readonly named: ReadonlyMap<string, FrontendSource>
}

const UPLOAD = /^https?:\/\/buildkit-session\//
const REMOTE = /^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@[^/:]+:)/

/**
 * The sources that a client names.
 * Spec: BuildKit, frontend/dockerui/context.go and namedcontext.go
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function frontendSources(attributes: Attributes): FrontendSources {
  const context = contextOf(attributes)
  const key = attributes.get('dockerfilekey')
  const isOwn = context.kind !== 'folder' && key === undefined
  return {
    context,
    contextFolder: textOf(attributes, 'contextsubdir'),
    dockerfile: isOwn ? undefined : { kind: 'folder', name: key ?? 'dockerfile' },
    filename: textOf(attributes, 'filename') ?? 'Dockerfile',
    named: new Map(
      Object.entries(withPrefix(attributes, 'context:')).map(([name, value]) => {
        return [name, namedSource(name, value)]
      }),
    ),
  }
}

function contextOf(attributes: Attributes): FrontendSource {
  const key = attributes.get('contextkey') ?? 'context'
  const value = textOf(attributes, key)
  if (value === undefined) return { kind: 'folder', name: 'context' }
  if (UPLOAD.test(value)) return { kind: 'upload', url: value }
  if (REMOTE.test(value)) return { kind: 'location', location: value }
  // A folder of this machine is none of the client's business.
  throw usageError(`invalid context ${JSON.stringify(value.slice(0, 200))}`)
}

function namedSource(name: string, value: string): FrontendSource {
  const [, scheme = '', rest = ''] = /^([^:]*):(.*)$/s.exec(value) ?? []
  switch (scheme) {
    case 'docker-image':
      return { kind: 'location', location: value }
    case 'local':
      return { kind: 'folder', name: rest }
    case 'input':
      return { kind: 'input', name: rest }
    case 'oci-layout':
      return { kind: 'layout', reference: rest.replace(/^\/\//, '') }
  }
  if (REMOTE.test(value)) return { kind: 'location', location: value }
  throw unsupportedError(
    `unsupported context source ${scheme} for ${name}`,
    'name a folder, an image, a repository or a URL',
  )
}
