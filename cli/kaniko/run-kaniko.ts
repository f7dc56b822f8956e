import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, type BuildResult, defaultCredentials } from '#builder'
import { type BuildEventListener, type Bytes, ioError, TsbuildError, usageError } from '#core'
import { SourceError } from '#parser'
import type { Arguments } from '../arguments/flags.ts'
import { reportedBuild } from '../build/run-build.ts'
import { reportError } from '../reports/error-report.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { cleanLine } from '../terminal/text.ts'
import { prepareDigestFiles, repositoryOf, writeDigestFiles } from './digest-files.ts'
import type { KanikoContext } from './kaniko-context.ts'
import { KanikoLog } from './kaniko-log.ts'
import { type KanikoRequest, parseKaniko } from './parse-kaniko.ts'

/**
 * `tsbuild kaniko`, also called `/kaniko/executor`: builds and pushes as kaniko's flags say.
 * @returns the exit code of a RUN that failed, 1 after any other failure
 */
export async function runKaniko(args: Arguments, shell: Shell): Promise<number> {
  if (args.positionals[0] === 'version') {
    const { packageVersion } = await import('../reports/package-version.ts')
    await print(shell, `tsbuild ${packageVersion()}\n`)
    return 0
  }
  const request = parseKaniko(args, shell.env)
  const log = new KanikoLog(request.log, shell)
  try {
    await buildAndPush(request, log, shell)
    return 0
  } catch (cause) {
    reportError(cause, log.shellAt('error'))
    return exitCodeOf(cause)
  }
}

async function buildAndPush(request: KanikoRequest, log: KanikoLog, shell: Shell): Promise<void> {
  for (const line of request.notices) log.say('warning', line)
  prepareDigestFiles(request.digestFiles)
  const options = await completeOptions(request, shell)
  const watch = new Watch(log)
  const result = await describeFailure(watch, request.context, () =>
    reportedBuild(
      { ...options, onEvent: watch.handle },
      { progress: log.progress, debug: log.shows('debug'), timing: false, explain: undefined },
      log.shellAt('info'),
    ),
  )
  writeDigestFiles(request.digestFiles, result)
  report(request, result, log)
}

/** Adds to the options what has to be looked at for it. */
async function completeOptions(request: KanikoRequest, shell: Shell): Promise<BuildOptions> {
  const { context, besidePath, configDir } = request
  const options: BuildOptions = {
    ...request.options,
    context: contextOf(context, shell),
    ...(besidePath === undefined ? {} : { dockerfile: readDockerfile(besidePath) }),
    ...(await credentialsIn(configDir, shell.env)),
  }
  return { ...options, insecureRegistries: await insecureRegistries(options, request) }
}

async function insecureRegistries(
  options: BuildOptions,
  { insecure }: KanikoRequest,
): Promise<readonly string[]> {
  const { context, insecureRegistries: named = [], tags = [] } = options
  if (!insecure.bases && !insecure.destinations) return named
  const { registriesOf, registriesOfBases } = await import('./insecure-registries.ts')
  const destinations = insecure.destinations ? registriesOf(tags) : []
  if (!insecure.bases) return [...named, ...destinations]
  if (typeof context !== 'string') {
    const hint = 'name the registries with --insecure-registry'
    throw usageError('--insecure-pull needs a context that can be read twice', hint)
  }
  return [...named, ...destinations, ...(await registriesOfBases(options))]
}

/** Those in the folder, if there are any; else the usual ones. */
async function credentialsIn(
  configDir: string,
  env: Shell['env'],
): Promise<Pick<BuildOptions, 'credentials'>> {
  if (!existsSync(join(configDir, 'config.json'))) return {}
  return { credentials: defaultCredentials({ ...env, DOCKER_CONFIG: configDir }) }
}

function contextOf(context: KanikoContext, shell: Shell): BuildOptions['context'] {
  switch (context.kind) {
    case 'folder':
      return context.path
    case 'address':
      return context.address
    case 'archive':
      return bytesOf(createReadStream(context.path), `read ${context.path}`)
    case 'stdin':
      if (shell.stdin.isTTY !== true) return notEmpty(bytesOf(shell.stdin, 'read standard input'))
      throw usageError('the context is to come from standard input, which is a terminal')
  }
}

/** Nothing at all would be taken for an empty Dockerfile. */
async function* notEmpty(bytes: Bytes): Bytes {
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    yield chunk
  }
  if (size > 0) return
  throw new TsbuildError('the context is to come from standard input, which is empty', {
    code: 'CONTEXT_INVALID',
    hint: 'send it an archive: tar -cz . | /kaniko/executor --context -; docker run needs --interactive for that',
  })
}

async function* bytesOf(stream: NodeJS.ReadableStream, doing: string): Bytes {
  try {
    for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  } catch (cause) {
    throw ioError(doing, cause)
  }
}

function readDockerfile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}

function report({ options }: KanikoRequest, { digest, tags }: BuildResult, log: KanikoLog): void {
  if (options.outputs?.some(({ type }) => type === 'registry') === true) {
    for (const tag of tags) log.say('info', `Pushed ${repositoryOf(tag)}@${digest}`)
  } else {
    log.say('info', 'Skipping push to container registry due to --no-push flag')
  }
}

/** Sees what a failure was about, and says warnings where no view of the build does. */
class Watch {
  readonly #log: KanikoLog
  readonly #pushes = new Set<string>()
  failedPush = false

  constructor(log: KanikoLog) {
    this.#log = log
  }

  readonly handle: BuildEventListener = (event) => {
    if (event.type === 'started' && event.name.startsWith('pushing ')) {
      this.#pushes.add(event.vertex)
    }
    if (event.type === 'failed' && this.#pushes.has(event.vertex)) this.failedPush = true
    if (event.type === 'warning' && !this.#log.shows('info')) {
      this.#log.say('warning', cleanLine(event.message))
    }
  }
}

/** Failures begin with kaniko's words, which pipelines look for. */
async function describeFailure<T>(
  watch: Watch,
  context: KanikoContext,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code === 'CANCELLED') throw cause
    const message = watch.failedPush ? 'error pushing image' : 'error building image'
    const hint = isOfGitContext(cause, context) ? GIT_HINT : undefined
    throw new TsbuildError(message, { code: cause.code, cause, hint })
  }
}

const GIT_HINT =
  'check the address and the network; $GIT_TOKEN, or $GIT_USERNAME and $GIT_PASSWORD, are for a repository that is not public'

/** What fails before there is a Dockerfile. */
function isOfGitContext(failure: TsbuildError, context: KanikoContext): boolean {
  const isGit = context.kind === 'address' && context.address.startsWith('git+')
  return isGit && failure.code === 'DOWNLOAD_FAILED' && !(failure instanceof SourceError)
}

/** As in kaniko, a RUN that fails gives its own. */
function exitCodeOf(failure: unknown): number {
  for (let link = failure; link instanceof Error; link = link.cause) {
    if (!(link instanceof TsbuildError) || link.code !== 'STEP_FAILED') continue
    const code = /did not complete successfully: exit code: (\d+)$/.exec(link.message)?.[1]
    if (code !== undefined) return Number(code)
  }
  return 1
}
