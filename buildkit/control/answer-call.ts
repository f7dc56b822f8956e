import { type BuildOptions, checkBuild, describeBuild } from '#builder'
import {
  checkJson,
  outlineJson,
  REQUEST_VERSION,
  requestsJson,
  targetsJson,
} from '#buildkit/reports'
import { unsupportedError } from '#core'

/**
 * Answers a question about a Dockerfile, which makes no image.
 * @returns metadata of a result without files. Spec: BuildKit, frontend/subrequests
 * @throws {SourceError} when the Dockerfile is wrong
 */
export async function answerCall(
  request: string,
  options: BuildOptions,
): Promise<ReadonlyMap<string, Buffer>> {
  switch (request) {
    case 'frontend.subrequests.describe':
      return answer(requestsJson())
    case 'frontend.targets': {
      const { targets, source } = await describeBuild(options)
      return answer(targetsJson(targets, source))
    }
    case 'frontend.outline': {
      const { outline, source } = await describeBuild(options)
      return answer(outlineJson(outline(), source))
    }
    case 'frontend.lint': {
      const check = await checkBuild(options)
      const isGood = check.warnings.length === 0 && check.error === undefined
      const status = ['result.statuscode', Buffer.from(isGood ? '0' : '1')] as const
      return new Map([...answer(checkJson(check)), status])
    }
  }
  throw unsupportedError(
    `unsupported request ${JSON.stringify(request.slice(0, 100))}`,
    'ask for frontend.lint, frontend.outline, frontend.targets or frontend.subrequests.describe',
  )
}

function answer(json: string): ReadonlyMap<string, Buffer> {
  return new Map([
    ['result.json', Buffer.from(json)],
    // For clients that cannot read the other one.
    ['result.txt', Buffer.from(json)],
    ['version', Buffer.from(REQUEST_VERSION)],
  ])
}
