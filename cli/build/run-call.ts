import { type BuildCheck, type BuildOptions, checkBuild, describeBuild } from '#builder'
import { unreachable } from '#core'
import type { BuildRequest } from '../arguments/build-arguments.ts'
import type { Call } from '../arguments/call-value.ts'
import { openProgress } from '../progress/open-progress.ts'
import { print, type Shell } from '../terminal/shell.ts'

/** `tsbuild build --call …`: answers on standard output. Returns the exit code. */
export async function runCall(call: Call, request: BuildRequest, shell: Shell): Promise<number> {
  if (call.request === 'check') return runCheck(call, request, shell)
  await print(shell, await answer(call, request.options))
  return 0
}

async function answer({ request, format }: Call, options: BuildOptions): Promise<string> {
  if (format === 'json') {
    const { outlineJson, requestsJson, targetsJson } = await import('#buildkit/reports')
    if (request === 'describe') return requestsJson()
    const { targets, outline, source } = await describeBuild(options)
    return request === 'targets' ? targetsJson(targets, source) : outlineJson(outline(), source)
  }
  const report = await import('../reports/outline-report.ts')
  if (request === 'describe') return report.requestsText()
  const { targets, outline } = await describeBuild(options)
  return request === 'targets' ? report.targetsText(targets) : report.outlineText(outline())
}

/** What keeps the Dockerfile from being built is thrown after the report, as in a build. */
async function runCheck(call: Call, request: BuildRequest, shell: Shell): Promise<number> {
  const check = await checkWithProgress(request, shell)
  await print(shell, await checkReport(call, check))
  if (check.error !== undefined) throw check.error
  return check.warnings.length > 0 && !call.ignoreStatus ? 1 : 0
}

async function checkWithProgress(request: BuildRequest, shell: Shell): Promise<BuildCheck> {
  const progress = await openProgress(request.progress, shell)
  try {
    const { signal } = shell
    return await checkBuild({
      ...request.options,
      signal,
      onEvent: (event) => progress.handle(event),
    })
  } finally {
    progress.close()
  }
}

async function checkReport({ format }: Call, check: BuildCheck): Promise<string> {
  switch (format) {
    case 'text':
      return (await import('../reports/check-report.ts')).checkText(check)
    case 'json':
      return (await import('#buildkit/reports')).checkJson(check)
    case 'sarif': {
      const { packageVersion } = await import('../reports/package-version.ts')
      return (await import('../reports/sarif.ts')).checkSarif(check, packageVersion())
    }
    default:
      return unreachable(format)
  }
}
