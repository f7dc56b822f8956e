import { join } from 'node:path'
import { Fetcher, httpSourceName, parseHttpSource } from '#builder/fetch'
import { isSwitchedOn } from '#builder/plan'
import type { StepSecrets } from '#builder/solve'
import { openStore } from '#cache'
import { Resources, reported, TsbuildError } from '#core'
import { type FolderSource, folderProblem } from './context-source.ts'
import { type LoadedDockerfile, loadDockerfile } from './dockerfile-source.ts'
import { type FetchContextDeps, type FetchedContext, fetchContext } from './fetch-context.ts'
import { readDownloaded } from './read-downloaded.ts'
import { reportWaits } from './reported-waits.ts'
import type { Settings } from './settings.ts'
import { openSecrets } from './step-secrets.ts'

/** The context of a build and its Dockerfile, both on this machine. */
export interface OpenedContext {
  readonly loaded: LoadedDockerfile
  readonly directory: string
  /** The folder goes with the build, so what is learnt about its files need not be kept. */
  readonly transient: boolean
  /** When its source was made, in milliseconds; of a folder that is not known. */
  readonly madeAt: () => Promise<number | undefined>
}

/**
 * Opens a context and its Dockerfile. What has to be fetched comes by way of the store, which is
 * opened for nothing else. `secrets` are those of the build: a pipe can be read only once.
 * @throws {TsbuildError} CONTEXT_INVALID, USAGE, DOWNLOAD_FAILED, NOT_FOUND, NO_SPACE, CANCELLED
 */
export async function openContext(
  settings: Settings,
  secrets?: StepSecrets,
): Promise<OpenedContext & AsyncDisposable> {
  const { context, file } = settings
  await using opening = new Resources()
  if (context.kind === 'folder') checkFolder(context)
  if (context.kind === 'folder' && !isUrl(file)) {
    return { ...(await openFolder(context, settings)), ...closing(opening) }
  }
  const store = opening.use(
    openStore(settings.root, { onWait: reportWaits(settings.onEvent, 'context') }),
  )
  const { secret } = secrets ?? (await openSecrets(settings))
  const { environment } = settings
  const fetcher = opening.use(new Fetcher({ store, environment, secret }))
  const { onEvent, signal, buildArgs } = settings
  const keepGitDir = isSwitchedOn(buildArgs.BUILDKIT_CONTEXT_KEEP_GIT_DIR)
  const commitTimes = Boolean(buildArgs.SOURCE_DATE_EPOCH)
  const deps = { store, fetcher, onEvent, signal, keepGitDir, commitTimes }
  const written = (await fetchDockerfile(settings, deps)) ?? settings
  const opened =
    context.kind === 'folder'
      ? await openFolder(context, { ...written, signal })
      : await openFetched(opening.use(await fetchContext(context, deps)), { ...written, signal })
  return { ...opened, ...closing(opening) }
}

/** What was opened stays so until the context is disposed of. */
function closing(opened: Resources): AsyncDisposable {
  const resources = opened.move()
  return { [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose]() }
}

type Written = Pick<Settings, 'file' | 'dockerfile' | 'frontend'>
type Reading = Written & Pick<Settings, 'signal'>

async function openFolder({ path }: FolderSource, reading: Reading): Promise<OpenedContext> {
  const { file, dockerfile, frontend, signal } = reading
  const wanted = { context: path, origin: 'local', file, dockerfile, frontend, signal } as const
  const loaded = await loadDockerfile(wanted)
  return { loaded, directory: path, transient: false, madeAt: async () => undefined }
}

async function openFetched(fetched: FetchedContext, reading: Reading): Promise<OpenedContext> {
  const { directory, transient, madeAt } = fetched
  if (fetched.dockerfile !== undefined) checkOnly(reading)
  const { file, frontend, signal } = reading
  const dockerfile = fetched.dockerfile ?? reading.dockerfile
  const wanted = { context: directory, origin: 'fetched', file, frontend, signal } as const
  const loaded = await loadDockerfile({ ...wanted, dockerfile })
  return { loaded, directory, transient, madeAt }
}

function isUrl(file: string | undefined): file is string {
  return file !== undefined && /^https?:\/\//i.test(file)
}

/** The Dockerfile that `-f` names by its URL, in place of the file. */
async function fetchDockerfile(
  { file, frontend }: Settings,
  { fetcher, onEvent, signal }: FetchContextDeps,
): Promise<Written | undefined> {
  const source = isUrl(file) ? parseHttpSource(file) : undefined
  if (source === undefined) return undefined
  const name = `[internal] load remote Dockerfile ${httpSourceName(source)}`
  return reported({ id: 'dockerfile', name }, onEvent, async () => {
    const { directory, name: base } = await fetcher.fetchHttp(source, { signal })
    const dockerfile = (await readDownloaded(join(directory, base))).toString()
    return { file: undefined, dockerfile, frontend }
  })
}

/** What came is a Dockerfile: then there can be no other. */
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
