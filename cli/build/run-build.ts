import { statSync } from 'node:fs'
import type { BuildOptions, BuildResult } from '#builder'
import { isSurelyWithin, resolveRoot } from '#cache'
import {
  type BuildChoice,
  type BuildEvent,
  type BuildWarning,
  type Bytes,
  suggestion,
  TsbuildError,
  usageError,
  type VertexKept,
} from '#core'
import { type BuildRequest, type ExplainRequest, parseBuild } from '../arguments/build-arguments.ts'
import { parseCall } from '../arguments/call-value.ts'
import type { Arguments } from '../arguments/flags.ts'
import type { ExplanationReport } from '../explain/open-explanation.ts'
import { readDockerfileStdin } from '../io/dockerfile-input.ts'
import { buildMetadata, prepareResultFile, writeResultFile } from '../io/result-files.ts'
import { FailedSteps } from '../progress/failed-steps.ts'
import { openProgress } from '../progress/open-progress.ts'
import { isForPeople, type ProgressMode } from '../progress/progress.ts'
import { networkSettings } from '../settings/network-settings.ts'
import { stepSettings } from '../settings/step-settings.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { cleanLine, formatBytes, formatCount, formatSeconds } from '../terminal/text.ts'
import type { Timing } from '../timing/open-timing.ts'
import { limitsOf, type StoreLimit } from './limit/limits.ts'
import { watchSpace } from './limit/space-watch.ts'

const STDIN_HINT = 'send a Dockerfile or an archive: tsbuild -t NAME - < app.tar'

/** `tsbuild [build]` */
export async function runBuild(
  args: Arguments,
  shell: Shell,
  commands: readonly { readonly name: string }[],
): Promise<number> {
  const call = parseCall(args)
  const request = parseBuild(args, shell)
  checkFolder(args.positionals[0] ?? '', commands)
  if (call !== undefined) {
    const { runCall } = await import('./run-call.ts')
    const called = await withStdin(request, shell)
    const options = { ...called.options, ...(await networkSettings(args, shell)) }
    return runCall(call, { ...called, options }, shell)
  }
  for (const file of [request.iidfile, request.metadataFile, request.explain?.file]) {
    if (file !== undefined) prepareResultFile(file)
  }
  const { options: given, ...shown } = await withStdin(request, shell)
  const settings = {
    ...(await networkSettings(args, shell)),
    ...(await stepSettings(args, shell.env)),
  }
  const options = withPasswords({ ...given, ...settings }, shell)
  const limit = {
    root: options.root ?? resolveRoot(shell.env),
    limit: request.cacheLimit,
  }
  using watch = watchSpace(limit, shell)
  let kept: VertexKept | undefined
  const onEvent = (event: BuildEvent): void => {
    if (event.type === 'kept') kept ??= event
  }
  let result: BuildResult
  try {
    result = await reportedBuild({ ...options, onEvent }, shown, shell)
  } catch (error) {
    if (kept === undefined || !request.opensShell || shell.stdin.isTTY !== true) throw error
    const { debugFailure } = await import('./past/debug-failure.ts')
    await debugFailure(error, { options, kept }, shell)
    return 1
  }
  watch[Symbol.dispose]()
  const { imageId } = result
  if (request.iidfile !== undefined && imageId !== undefined) {
    writeResultFile(request.iidfile, imageId)
  }
  if (request.metadataFile !== undefined) {
    writeResultFile(request.metadataFile, buildMetadata(result))
  }
  if (request.printsId && imageId !== undefined) await print(shell, `${imageId}\n`)
  if (isForPeople(request.progress)) shell.stderr.write(summary(result))
  if (result.stored > 0) await keepWithin(limit, { ...request, ...result }, shell)
  return 0
}

/** Asks for the password of a key that has one. */
function withPasswords(options: BuildOptions, shell: Shell): BuildOptions {
  const { sign } = options
  if (sign === undefined) return options
  const password = async (): Promise<string> => {
    const { keyPassword } = await import('../io/key-password.ts')
    return await keyPassword(shell)
  }
  return { ...options, sign: sign.map((one) => ({ ...one, password })) }
}

/** The result is out: what goes wrong from here on is no failure of the build. */
async function keepWithin(
  limit: StoreLimit,
  { progress, stored }: { readonly progress: ProgressMode; readonly stored: number },
  shell: Shell,
): Promise<void> {
  const tell = (line: string): void => {
    if (isForPeople(progress)) shell.stderr.write(`${cleanLine(line)}\n`)
  }
  try {
    const limits = await limitsOf(limit, shell.env)
    if (limits === undefined || isSurelyWithin(limit.root, limits, stored)) return
    const { enforceLimits } = await import('./limit/enforce-limit.ts')
    const freed = await enforceLimits(limit.root, limits, shell.signal)
    if (freed > 0) tell(`freed   ${formatBytes(freed)} of what was worth least in the store`)
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    tell(`WARNING: the store was not kept within its size: ${cause.message} (${cause.code})`)
  }
}

/** What standard input is read for takes the place of what the command line says. */
async function withStdin(request: BuildRequest, shell: Shell): Promise<BuildRequest> {
  const { stdin, options } = request
  if (stdin === undefined) return request
  if (stdin === 'dockerfile') {
    const dockerfile = (await readDockerfileStdin(shell)).toString()
    return { ...request, options: { ...options, dockerfile } }
  }
  if (shell.stdin.isTTY === true) {
    throw usageError('the context is to come from standard input, which is a terminal', STDIN_HINT)
  }
  return { ...request, options: { ...options, context: bytesOf(shell.stdin) } }
}

async function* bytesOf(stream: Shell['stdin']): Bytes {
  for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

/** A word that does not name a folder was probably meant to be a command. */
function checkFolder(context: string, commands: readonly { readonly name: string }[]): void {
  if (!/^[a-z]+$/.test(context)) return
  if (statSync(context, { throwIfNoEntry: false }) !== undefined) return
  const meant = suggestion(
    context,
    commands.map(({ name }) => name),
  )
  throw usageError(
    `no such command, and no such folder: ${context}`,
    meant === undefined
      ? 'the context is a folder; tsbuild --help lists the commands'
      : `did you mean tsbuild ${meant}?`,
  )
}

/**
 * Builds, and shows on standard error how far it is; warnings, what failed steps printed, and where the
 * time went follow.
 * @throws {TsbuildError} as `build`
 */
export async function reportedBuild(
  options: BuildOptions,
  shown: Pick<BuildRequest, 'progress' | 'debug' | 'timing' | 'explain'>,
  shell: Shell,
): Promise<BuildResult> {
  const { build } = await import('./builder.ts')
  const { progress: mode, debug, timing: isTimed, explain } = shown
  const progress = await openProgress(mode, shell)
  const failed = new FailedSteps(() => performance.now())
  const warnings: BuildWarning[] = []
  const choices: BuildChoice[] = []
  const timing = isTimed ? await loadTiming(mode, shell) : undefined
  const onEvent = (event: BuildEvent): void => {
    options.onEvent?.(event)
    if (event.type === 'warning') warnings.push(event)
    if (event.type === 'choice') choices.push(event)
    failed.handle(event)
    progress.handle(event)
    timing?.handle(event)
  }
  if (timing !== undefined) onEvent(timing.start)
  const explanation = explain && (await loadExplanation(explain, shell))
  const { onExplanation } = explanation ?? {}
  const asked = onExplanation === undefined ? {} : { onExplanation }
  let result: BuildResult
  try {
    result = await build({ ...options, ...asked, signal: shell.signal, onEvent })
  } catch (error) {
    progress.close()
    if (mode !== 'rawjson') shell.stderr.write(failed.report(rootFlag(options.root)))
    explanation?.writeAnyway()
    throw error
  } finally {
    progress.close()
    if (isForPeople(mode)) {
      shell.stderr.write(choiceText(debug ? choices : []) + warningText(warnings))
    }
    explanation?.print(mode)
    timing?.report()
  }
  explanation?.write()
  return result
}

/** What commands need that look at the same store. */
function rootFlag(root: string | undefined): string {
  if (root === undefined) return ''
  return `--root ${/^[\w./-]+$/.test(root) ? root : `'${root.replaceAll("'", "'\\''")}'`} `
}

async function loadExplanation(request: ExplainRequest, shell: Shell): Promise<ExplanationReport> {
  const { openExplanation } = await import('../explain/open-explanation.ts')
  return openExplanation(request, shell)
}

async function loadTiming(mode: BuildRequest['progress'], shell: Shell): Promise<Timing> {
  const { openTiming } = await import('../timing/open-timing.ts')
  return openTiming(mode, shell)
}

function choiceText(choices: readonly BuildChoice[]): string {
  return choices
    .map(({ subject, value, reason }) => {
      return `${subject}: ${value}${reason === undefined ? '' : ` (${cleanLine(reason)})`}\n`
    })
    .join('')
}

function warningText(warnings: readonly BuildWarning[]): string {
  if (warnings.length === 0) return ''
  const count = formatCount(warnings.length, 'warning')
  const lines = warnings.map(({ rule, message, line }) => {
    const text = rule === undefined ? message : `${rule}: ${message}`
    return ` - ${cleanLine(text)}${line === undefined ? '' : ` (line ${line})`}\n`
  })
  const more = warnings.some(({ rule }) => rule !== undefined) ? ' (use --check to expand)' : ''
  return `\n ${count} found${more}:\n${lines.join('')}`
}

function summary({ descriptor, imageId, tags, steps, milliseconds }: BuildResult): string {
  const cached = steps.total > 0 && steps.cached === steps.total ? 'all' : String(steps.cached)
  const lines = [
    ...tags.map((tag) => `name    ${tag}`),
    ...(descriptor === undefined ? [] : [`digest  ${descriptor.digest}`]),
    ...(imageId === undefined ? [] : [`image   ${imageId}`]),
    `steps   ${steps.total}, ${cached} cached, ${formatSeconds(milliseconds)}`,
  ]
  return `\n${lines.map((line) => `${line}\n`).join('')}`
}
