import { join } from 'node:path'
import {
  Fetcher,
  type FetcherOptions,
  httpSourceName,
  parseHttpSource,
  recordingFetcher,
} from '#builder/fetch'
import { isSwitchedOn } from '#builder/plan'
import type { Store } from '#cache'
import { type Material, type OnEvent, Resources, reported, type Spans, TsbuildError } from '#core'
import type { ParseOptions } from '#parser'
import { type ContextLocation, type FolderSource, folderProblem } from './context-location.ts'
import {
  type DockerfileOptions,
  type LoadedDockerfile,
  loadDockerfile,
} from './dockerfile-source.ts'
import { type FetchContextDeps, type FetchedContext, fetchContext } from './fetch-context.ts'
import { readDownloaded } from './read-downloaded.ts'

/** The context of a build and its Dockerfile, both on this machine. */
export interface OpenedContext {
  readonly loaded: LoadedDockerfile
  readonly directory: string
  /** The folder is removed with the build, so digests of its files need not be kept. */
  readonly transient: boolean
  /** When its source was made, in milliseconds; `undefined` where that is not known, as for a folder. */
  readonly createdAt: () => Promise<number | undefined>
  /** What was fetched for it: the context, the Dockerfile. */
  readonly materials: readonly Material[]
}

type LocalContext = Omit<OpenedContext, 'materials'>

/** Which context and which Dockerfile a build is asked to use. */
export interface ContextRequest {
  readonly context: ContextLocation
  /** Path or URL of the Dockerfile. */
  readonly file: string | undefined
  /** What messages call it; absent: its path. */
  readonly shownFile?: string | undefined
  /** The Dockerfile itself. */
  readonly dockerfile: string | undefined
  /** The ignore file of a fetched context counts, too. */
  readonly ignoresInFetched: boolean
  readonly frontend: ParseOptions['frontend']
  readonly buildArgs: Readonly<Record<string, string>>
  /** How git reaches its remotes. */
  readonly environment: FetcherOptions['environment']
  readonly onEvent: OnEvent
  readonly spans: Spans
  readonly signal: AbortSignal | undefined
}

/** Opened only for a context or a Dockerfile that has to be fetched. */
export interface FetchingDeps {
  /** The store is closed with the context. */
  readonly openStore: () => Store
  readonly openSecrets: () => Promise<Required<Pick<FetcherOptions, 'secret'>>>
}

/**
 * Opens a context and its Dockerfile. What has to be fetched comes by way of the store.
 * @throws {TsbuildError} CONTEXT_INVALID, USAGE, DOWNLOAD_FAILED, NOT_FOUND, NO_SPACE, CANCELLED
 */
export async function openContext(
  request: ContextRequest,
  deps: FetchingDeps,
): Promise<OpenedContext & AsyncDisposable> {
  const { context, file } = request
  await using opening = new Resources()
  if (context.kind === 'folder') checkFolder(context)
  if (context.kind === 'folder' && !isUrl(file)) {
    return { ...(await openFolder(context, request)), materials: [], ...disposeWith(opening) }
  }
  const store = opening.use(deps.openStore())
  const { secret } = await deps.openSecrets()
  const { environment, onEvent, spans, signal, buildArgs } = request
  const materials: Material[] = []
  const fetcher = recordingFetcher(
    opening.use(new Fetcher({ store, environment, secret })),
    (material) => materials.push(material),
  )
  const keepGitDir = isSwitchedOn(buildArgs.BUILDKIT_CONTEXT_KEEP_GIT_DIR)
  const commitTimes = Boolean(buildArgs.SOURCE_DATE_EPOCH)
  const fetching = { store, fetcher, onEvent, signal, keepGitDir, commitTimes }
  const written = (await fetchDockerfile(request, fetching)) ?? request
  const opened =
    context.kind === 'folder'
      ? await openFolder(context, { ...written, spans, signal })
      : await openFetched(opening.use(await fetchContext(context, fetching)), {
          ...written,
          spans,
          signal,
          ignores: request.ignoresInFetched,
        })
  return { ...opened, materials, ...disposeWith(opening) }
}

/** Keeps what was opened until the context is disposed of. */
function disposeWith(opened: Resources): AsyncDisposable {
  const resources = opened.move()
  return { [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose]() }
}

type Written = Pick<ContextRequest, 'file' | 'shownFile' | 'dockerfile' | 'frontend'>
type Reading = Written & Pick<ContextRequest, 'spans' | 'signal'>

async function openFolder({ path }: FolderSource, reading: Reading): Promise<LocalContext> {
  const loaded = await loadDockerfile({ ...reading, context: path, origin: 'local', ignores: true })
  return { loaded, directory: path, transient: false, createdAt: async () => undefined }
}

async function openFetched(
  fetched: FetchedContext,
  reading: Reading & Pick<DockerfileOptions, 'ignores'>,
): Promise<LocalContext> {
  const { directory, transient, createdAt } = fetched
  if (fetched.dockerfile !== undefined) checkOnly(reading)
  const loaded = await loadDockerfile({
    ...reading,
    context: directory,
    origin: 'fetched',
    dockerfile: fetched.dockerfile ?? reading.dockerfile,
  })
  return { loaded, directory, transient, createdAt }
}

function isUrl(file: string | undefined): file is string {
  return file !== undefined && /^https?:\/\//i.test(file)
}

/** The Dockerfile that `-f` names by its URL, in place of the file. */
async function fetchDockerfile(
  { file, frontend }: ContextRequest,
  { fetcher, onEvent, signal }: FetchContextDeps,
): Promise<Written | undefined> {
  const source = isUrl(file) ? parseHttpSource(file) : undefined
  if (source === undefined) return undefined
  const name = `[internal] load remote Dockerfile ${httpSourceName(source)}`
  return reported({ id: 'dockerfile', name, part: 'fetch' }, onEvent, async () => {
    const { directory, name: base } = await fetcher.fetchHttp(source, { signal })
    const dockerfile = (await readDownloaded(join(directory, base))).toString()
    return { file: undefined, dockerfile, frontend }
  })
}

/** The context itself is a Dockerfile, so no other can be named. */
function checkOnly({ file, dockerfile }: Written): void {
  if (file === undefined && dockerfile === undefined) return
  throw new TsbuildError(
    'ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles',
    {
      code: 'USAGE',
      hint: 'leave out -f, or send an archive with the context',
    },
  )
}

function checkFolder({ path }: FolderSource): void {
  const problem = folderProblem(path)
  if (problem === undefined) return
  throw new TsbuildError(`unable to prepare context: path ${JSON.stringify(path)} ${problem}`, {
    code: 'CONTEXT_INVALID',
    hint: 'the build context is a folder, usually "."',
  })
}
