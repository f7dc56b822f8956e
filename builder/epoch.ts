import type { GlobalScope } from '#builder/plan'
import { TsbuildError } from '#core'

/**
 * The time that a reproducible build gives to what it makes, in milliseconds: 1980-01-01, the oldest
 * one that zip archives, and with them Python packages and Java archives, can hold.
 */
export const REPRODUCIBLE_TIME = 315_532_800_000

/**
 * `SOURCE_DATE_EPOCH` of the build arguments, else of the Dockerfile's global ARG, in milliseconds.
 * For `context` it is the time of the context's source, which a folder does not have.
 * Spec: reproducible-builds.org/specs/source-date-epoch
 * @throws {TsbuildError} USAGE
 */
export function epochOf({ buildArgs, values }: GlobalScope): number | undefined {
  const text = buildArgs.get('SOURCE_DATE_EPOCH') ?? values.get('SOURCE_DATE_EPOCH') ?? ''
  if (text === '' || text === 'context') return undefined
  const milliseconds = Number(text) * 1000
  // What a Date can hold, and the image config with it.
  if (/^\d+$/.test(text) && milliseconds <= 8.64e15) return milliseconds
  throw new TsbuildError(`invalid SOURCE_DATE_EPOCH: ${text}`, {
    code: 'USAGE',
    hint: 'it is a time in whole seconds since 1970, such as `git log -1 --format=%ct` prints',
  })
}
