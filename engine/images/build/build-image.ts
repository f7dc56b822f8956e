import { build } from '#builder'
import { type BuildEvent, shortDigest, TsbuildError } from '#core'
import { RegistryError } from '#registry-client'
import { findImage, readReference } from '../image/find-image.ts'
import { imageEvent } from '../image/image-events.ts'
import { type Images, setName } from '../images.ts'
import { type MessageSink, messagesOf, type ProgressMessage } from '../progress.ts'
import { pullError } from '../registry/registry-failure.ts'
import { credentialsOfAll, type RequestCredentials } from '../registry/request-credentials.ts'
import type { BuildRequest } from './build-query.ts'
import type { Builds } from './builds.ts'
import { ClassicSteps } from './classic-steps.ts'

/** What a build needs beside its request. */
export interface BuildDeps {
  readonly builds: Builds
  /** `X-Registry-Config` */
  readonly auth: string | undefined
  /** Minor version of the API. */
  readonly minor: number
  /** Aborts when the client goes away. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Builds as docker's classic builder does. Who stops reading stops the build.
 * @throws {TsbuildError} as `build`, before the first message
 */
export function buildImage(
  images: Images,
  request: BuildRequest,
  { builds, auth, minor, signal: closed }: BuildDeps,
): AsyncIterable<ProgressMessage> {
  const credentials = credentialsOfAll(auth)
  return messagesOf(
    async (sink, signal) => {
      using begun = builds.begin(request.id, signal)
      const kept: ProgressMessage[] = []
      const keep = (message: ProgressMessage): void => void kept.push(message)
      const target = request.quiet ? { send: keep, output: keep } : sink
      try {
        const call = { request, builds, credentials, minor, signal: begun.signal }
        const id = await buildInto(target, images, call)
        await giveNames(target, images, { id, tags: request.tags })
        if (request.quiet) sink.send({ stream: `${id}\n` })
      } catch (cause) {
        for (const message of kept) sink.send(message)
        throw buildError(cause, { signal: begun.signal, credentials })
      }
    },
    { codeOf: exitCodeIn, signal: closed },
  )
}

interface BuildCall {
  readonly request: BuildRequest
  readonly builds: Builds
  readonly credentials: RequestCredentials
  readonly minor: number
  readonly signal: AbortSignal
}

/** @returns the id of the image */
async function buildInto(
  sink: MessageSink,
  images: Images,
  { request, builds, credentials, minor, signal }: BuildCall,
): Promise<string> {
  const { buildArgs = {} } = request.options
  const noCache = request.options.noCache === true
  const steps = new ClassicSteps(sink, { builds, noCache, buildArgs })
  try {
    const built = await build({
      ...images.options.network,
      ...request.options,
      root: images.options.root,
      credentials,
      onLinked: (graph) => steps.linked(graph, request.options.labels ?? {}),
      onEvent: (event: BuildEvent) => steps.event(event),
      signal,
    })
    const [image] = built.images
    if (image === undefined) throw new Error('a build for the store has an image')
    steps.finish(image.id)
    if (minor >= 30) sink.send({ aux: { ID: image.id } })
    steps.warn(request.unset)
    sink.send({ stream: `Successfully built ${shortDigest(image.id)}\n` })
    return image.id
  } catch (cause) {
    steps.fail()
    throw cause
  }
}

interface BuiltImage {
  readonly id: string
  readonly tags: readonly string[]
}

/** Its names were given when it was stored; when that was is noted now, and reported. */
async function giveNames(
  sink: MessageSink,
  images: Images,
  { id, tags }: BuiltImage,
): Promise<void> {
  await images.using(async (store, all) => {
    const image = findImage(all, id)
    for (const tag of tags) {
      await setName(store, readReference(tag), image)
      images.options.events.emit(imageEvent('tag', image, tag))
      sink.send({ stream: `Successfully tagged ${tag}\n` })
    }
  })
}

const STEP_FAILURE = /^process (".*") did not complete successfully: exit code: (\d+)/s
const MISSING_DOCKERFILE = /^failed to read dockerfile: open (.*): no such file or directory$/
const NO_STAGE = /^dockerfile parse error on line \d+: (no build stage in current context)$/
const IN_WORDS = /^The command '.*' returned a non-zero code: (\d+)$/s

/** The failure in docker's words, which tools compare. */
function buildError(
  cause: unknown,
  { signal, credentials }: Pick<BuildCall, 'signal' | 'credentials'>,
): unknown {
  if (!(cause instanceof TsbuildError)) return cause
  if (signal.aborted) return new TsbuildError('Build cancelled', { code: 'CANCELLED', cause })
  const { code, message } = cause
  const [, base] = /^\S+: resolve (\S+):/.exec(message) ?? []
  const refusal = registryErrorIn(cause)
  if (base !== undefined && refusal !== undefined) {
    return pullError(refusal, readReference(base), credentials)
  }
  const text = stepFailure(message) ?? missingFile(cause) ?? dockerfileFailure(cause)
  return text === undefined ? cause : new TsbuildError(text, { code, cause })
}

function stepFailure(message: string): string | undefined {
  const [, words = '""', exitCode] = STEP_FAILURE.exec(message) ?? []
  if (exitCode === undefined) return undefined
  return `The command '${JSON.parse(words)}' returned a non-zero code: ${exitCode}`
}

function missingFile({ code, message }: TsbuildError): string | undefined {
  const [, path] = /(".*"): not found$/.exec(message) ?? []
  if (code !== 'NOT_FOUND' || path === undefined) return undefined
  const name = String(JSON.parse(path)).replace(/^\//, '')
  return `COPY failed: file not found in build context or excluded by .dockerignore: stat ${name}: file does not exist`
}

function dockerfileFailure({ code, message }: TsbuildError): string | undefined {
  if (code === 'DOCKERFILE_INVALID' && message === 'the Dockerfile cannot be empty') {
    return 'the Dockerfile (Dockerfile) cannot be empty'
  }
  const [, noStage] = NO_STAGE.exec(message) ?? []
  if (noStage !== undefined) return noStage
  const [, path] = MISSING_DOCKERFILE.exec(message) ?? []
  return path === undefined ? undefined : `Cannot locate specified Dockerfile: ${path}`
}

/** What a registry has answered, under what was said of it. */
function registryErrorIn(cause: unknown): RegistryError | undefined {
  if (cause instanceof RegistryError) return cause
  return cause instanceof Error ? registryErrorIn(cause.cause) : undefined
}

/** Of the step that has failed. */
function exitCodeIn({ message }: TsbuildError): number | undefined {
  const code = IN_WORDS.exec(message)?.[1]
  return code === undefined ? undefined : Number(code)
}
