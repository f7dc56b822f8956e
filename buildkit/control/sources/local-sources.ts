import type { BuildOptions } from '#builder'
import type { FrontendSource, FrontendSources } from '#buildkit/frontend'
import type { Definition } from '#buildkit/messages'
import { openUpload, type Session } from '#buildkit/session'
import {
  contextTransfer,
  definitionTransfer,
  ignoreFileTransfer,
  namedContextTransfer,
  reportTransfer,
  type TransferVertex,
} from '#buildkit/status'
import { type OnEvent, unsupportedError, usageError } from '#core'
import type { ClientFolders } from './client-folders.ts'
import { copyDefinition, definitionPaths, folderIgnores, IGNORE_FILE } from './definition-files.ts'
import { definitionSource } from './definition-source.ts'
import type { FolderRequest } from './folder-metadata.ts'

/** What a build reads, on this machine or elsewhere. */
export type LocalSources = Pick<
  BuildOptions,
  'context' | 'contextFolder' | 'file' | 'shownFile' | 'contexts'
>

/** What sources are brought here with. */
export interface SourceDeps {
  readonly folders: ClientFolders
  readonly session: () => Promise<Session>
  readonly onEvent: OnEvent
  readonly signal: AbortSignal
  /** Definitions that the client has handed over, by their names. */
  readonly inputs: ReadonlyMap<string, Definition>
  /** What a digest leads to of a store of the client, in a folder; `undefined` where that has no such blob. */
  readonly fetchLayout: (store: string, digest: string) => Promise<string | undefined>
  /** A path for a folder of the build, which is made by who asks. */
  readonly newFolder: () => string
  /** The result of another build as a context. @throws {TsbuildError} NOT_FOUND */
  readonly resultContext: (id: string) => Promise<string>
}

/**
 * Brings what a build reads to this machine: the Dockerfile, the ignore file, and the context without what
 * that leaves out.
 * @throws {TsbuildError} as the client answers
 */
export async function localSources(
  sources: FrontendSources,
  deps: SourceDeps,
): Promise<LocalSources> {
  const { context, dockerfile, filename } = sources
  const shared = await sharedSources(sources, deps)
  if (dockerfile === undefined) {
    return { ...shared, context: await contextOf(context, deps), file: filename }
  }
  const own = await receive(definitionTransfer(filename), deps, {
    ...{ name: dockerfile.name, hint: filename, paths: definitionPaths(filename) },
  })
  const { path: file, excludes: ownExcludes } = copyDefinition(own, filename, deps.newFolder())
  if (context.kind !== 'folder') {
    return { ...shared, context: await contextOf(context, deps), file, shownFile: filename }
  }
  const excludes = ownExcludes ?? (await contextIgnores(context.name, deps))
  const path = await receive(contextTransfer(), deps, {
    ...{ name: context.name, hint: 'context', excludes },
  })
  return { ...shared, context: path, file, shownFile: filename }
}

async function sharedSources(
  sources: FrontendSources,
  deps: SourceDeps,
): Promise<Pick<LocalSources, 'contexts' | 'contextFolder'>> {
  const { contextFolder, named } = sources
  const contexts: Record<string, string> = {}
  for (const [name, source] of named) contexts[name] = await locationOf(name, source, deps)
  return {
    ...(named.size === 0 ? {} : { contexts }),
    ...(contextFolder === undefined ? {} : { contextFolder }),
  }
}

async function contextIgnores(name: string, deps: SourceDeps): Promise<readonly string[]> {
  const folder = await receive(ignoreFileTransfer(), deps, {
    ...{ name, hint: `${name}-${IGNORE_FILE}`, paths: [IGNORE_FILE] },
  })
  return folderIgnores(folder)
}

async function receive(
  vertex: TransferVertex,
  { folders, session, onEvent, signal }: SourceDeps,
  request: FolderRequest & { readonly hint: string },
): Promise<string> {
  return await reportTransfer(vertex, onEvent, async (onProgress) => {
    return await folders.receive(await session(), request, { signal, onProgress })
  })
}

async function contextOf(
  source: FrontendSource,
  deps: SourceDeps,
): Promise<BuildOptions['context']> {
  if (source.kind !== 'upload') return await locationOf('context', source, deps)
  return openUpload(await deps.session(), source.url, { signal: deps.signal })
}

async function locationOf(name: string, source: FrontendSource, deps: SourceDeps): Promise<string> {
  switch (source.kind) {
    case 'location':
      return source.location
    case 'folder': {
      const excludes = await contextIgnores(source.name, deps)
      const request = { name: source.name, hint: `context:${name}`, excludes }
      return await receive(namedContextTransfer(name), deps, request)
    }
    case 'input':
      return await inputOf(name, source.name, deps)
    case 'layout':
      return await layoutOf(source.reference, deps)
    case 'upload':
      throw unsupportedError(
        `the context ${name} is of a kind (${source.kind}) that is not understood`,
        'name a folder, an image, a repository or a URL',
      )
  }
}

/** What a client has handed over as a definition. */
async function inputOf(name: string, input: string, deps: SourceDeps): Promise<string> {
  const definition = deps.inputs.get(input)
  if (definition === undefined) throw usageError(`invalid input ${input} for ${name}`)
  const source = definitionSource(definition)
  if (source.kind === 'result') return await deps.resultContext(source.id)
  return await locationOf(name, source, deps)
}

/** An image in a layout of the client: `NAME@DIGEST`. */
async function layoutOf(reference: string, { fetchLayout }: SourceDeps): Promise<string> {
  const [, store, digest] = /^([^@]+?)(?::[^@/]+)?@(.+)$/.exec(reference) ?? []
  if (store === undefined || digest === undefined) {
    throw usageError(
      `oci-layout reference ${JSON.stringify(reference.slice(0, 200))} has no digest`,
    )
  }
  const folder = await fetchLayout(`oci:${store}`, digest)
  if (folder !== undefined) return `oci-layout://${folder}@${digest}`
  throw usageError(`the client has no image ${digest} in ${store}`)
}
