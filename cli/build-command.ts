import { statSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { BuildOptions, BuildResult } from '#builder'
import { type BuildWarning, suggestion } from '#core'
import { type BuildRequest, parseBuild } from './build-arguments.ts'
import { COMMANDS } from './commands.ts'
import { FailedSteps } from './failed-steps.ts'
import { type Arguments, usageError } from './flags.ts'
import { openProgress } from './progress.ts'
import { buildMetadata, prepareResultFile, writeResultFile } from './result-files.ts'
import { print, type Shell } from './shell.ts'
import { cleanLine, formatSeconds } from './text.ts'

/** `tsbuild [build]` */
export async function runBuild(args: Arguments, shell: Shell): Promise<number> {
  const request = parseBuild(args, shell)
  checkFolder(request.options.context)
  for (const file of [request.iidfile, request.metadataFile]) {
    if (file !== undefined) prepareResultFile(file)
  }
  const dockerfile = request.dockerfileOnStdin ? await text(shell.stdin) : undefined
  const result = await buildWithProgress(
    { ...request.options, ...(dockerfile === undefined ? {} : { dockerfile }) },
    request,
    shell,
  )
  const { imageId } = result
  if (request.iidfile !== undefined && imageId !== undefined) {
    writeResultFile(request.iidfile, imageId)
  }
  if (request.metadataFile !== undefined) {
    writeResultFile(request.metadataFile, buildMetadata(result))
  }
  if (args.has('quiet') && imageId !== undefined) await print(shell, `${imageId}\n`)
  if (request.progress !== 'quiet') shell.stderr.write(summary(result))
  return 0
}

/** A word that is no folder was probably meant to be a command. */
function checkFolder(context: string): void {
  if (!/^[a-z]+$/.test(context)) return
  if (statSync(context, { throwIfNoEntry: false }) !== undefined) return
  const names: readonly string[] = COMMANDS.map(({ name }) => name)
  const meant = names.includes(context) ? context : suggestion(context, names)
  throw usageError(
    `no such command, and no such folder: ${context}`,
    meant === undefined
      ? 'the context is a folder; tsbuild --help lists the commands'
      : `did you mean tsbuild ${meant}? A command comes before its flags`,
  )
}

async function buildWithProgress(
  options: BuildOptions,
  request: BuildRequest,
  shell: Shell,
): Promise<BuildResult> {
  const { build } = await import('#builder')
  const progress = await openProgress(request.progress, shell)
  const failed = new FailedSteps(() => performance.now())
  const warnings: BuildWarning[] = []
  try {
    return await build({
      ...options,
      signal: shell.signal,
      onEvent: (event) => {
        if (event.type === 'warning') warnings.push(event)
        failed.handle(event)
        progress.handle(event)
      },
    })
  } catch (error) {
    progress.close()
    shell.stderr.write(failed.report())
    throw error
  } finally {
    progress.close()
    if (request.progress !== 'quiet') shell.stderr.write(warningText(warnings))
  }
}

function warningText(warnings: readonly BuildWarning[]): string {
  if (warnings.length === 0) return ''
  const count = warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`
  const lines = warnings.map(({ message, line }) => {
    return ` - ${cleanLine(message)}${line === undefined ? '' : ` (line ${line})`}\n`
  })
  return `\n ${count} found:\n${lines.join('')}`
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
