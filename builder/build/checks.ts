import type { LoadedDockerfile } from '#builder/context'
import type { Settings } from '#builder/options'
import { type BaseLookup, predefinedArgs, stagePlatform } from '#builder/plan'
import type { Platform } from '#core'
import { type CheckedBase, DockerfileChecks, type LinkedStage } from '#parser'

/**
 * The checks of one build; those of the text have been made. Warnings go to `onEvent`.
 * @throws {TsbuildError} USAGE when the build argument with their settings is wrong
 */
export function openChecks(
  { parsed, ignore }: LoadedDockerfile,
  { buildArgs, platforms, target, onEvent }: Settings,
): DockerfileChecks {
  const [targetPlatform] = platforms
  const checks = new DockerfileChecks(parsed, {
    buildArgs,
    predefined: predefinedArgs(parsed.dockerfile, { buildArgs, targetPlatform, target }),
    dockerignore: ignore,
    onWarning: ({ rule, message, description, url, range: { start, end } }) =>
      onEvent({
        type: 'warning',
        message,
        line: start.line,
        ...(end.line === start.line ? {} : { endLine: end.line }),
        rule,
        description,
        ...(url === undefined ? {} : { url }),
      }),
  })
  checks.checkText()
  return checks
}

/** What the checks need to know of resolved bases. */
export function checkedBases(
  bases: BaseLookup,
  target: Platform,
): (linked: LinkedStage) => CheckedBase | undefined {
  return (linked) => {
    if (linked.base.kind !== 'image' || linked.base.context !== undefined) return undefined
    const expected = stagePlatform(linked, target)
    const { config, platform } = bases(linked.base.name, expected).config
    const { Env = [], Shell = [] } = config
    return {
      image: linked.base.name,
      expected,
      actual: platform,
      env: Env,
      hasShell: Shell.length > 0,
    }
  }
}
