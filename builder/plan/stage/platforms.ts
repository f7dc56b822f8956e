import { isSameMachine, normalizePlatform, type Platform, parsePlatform } from '#core'
import type { LinkedStage } from '#parser'
import { withErrorsAt } from '../variables/expand.ts'
import type { PlannedImage } from '../vertices/vertex.ts'
import type { PlanOptions } from './stage-plan.ts'

/**
 * `--platform` of the stage's FROM, else the platform that is built for.
 * @throws {SourceError} PLATFORM_MISMATCH
 */
export function stagePlatform({ stage, platform }: LinkedStage, target: Platform): Platform {
  if (platform === undefined) return target
  return withErrorsAt(stage.from.platform ?? stage.from.image, () => parsePlatform(platform))
}

/**
 * The platforms of an image whose base claims to be for `claimed`. Without a platform that was asked
 * for, the base is right; with one, only what it leaves open is taken from the base.
 */
export function imagePlatforms(
  claimed: Platform,
  { targetPlatform, isPlatformGiven }: PlanOptions,
): Pick<PlannedImage, 'platform' | 'offered'> {
  const base = normalizePlatform(claimed)
  if (isPlatformGiven !== true) return { platform: base, offered: base }
  const target = normalizePlatform(targetPlatform)
  const platform = isSameMachine(base, target) ? { ...base, ...target } : target
  if (target.os !== 'windows' || base.os !== 'windows') return { platform, offered: target }
  const { 'os.version': version, 'os.features': features } = base
  const release = {
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
  }
  // Images for Windows are chosen by release.
  return { platform, offered: normalizePlatform({ ...release, ...target }) }
}
