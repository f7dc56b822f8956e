import type { Healthcheck } from '#core'
import { usageError } from '#core'
import type { Arguments } from '../../arguments/flags.ts'
import { durationOf, integerOf, withoutEmpty } from './values.ts'

/** `--health-*` and `--no-healthcheck`; `undefined` leaves the image's. @throws {TsbuildError} USAGE */
export function parseHealth(args: Arguments): Healthcheck | undefined {
  const command = args.text('health-cmd') ?? ''
  const settings = withoutEmpty({
    Test: command === '' ? [] : ['CMD-SHELL', command],
    Interval: durationOf(args, 'health-interval'),
    Timeout: durationOf(args, 'health-timeout'),
    StartPeriod: durationOf(args, 'health-start-period'),
    StartInterval: durationOf(args, 'health-start-interval'),
    Retries: integerOf(args, 'health-retries'),
  })
  if ((settings.Retries ?? 0) < 0) throw usageError('--health-retries cannot be negative')
  const isEmpty = Object.keys(settings).length === 0
  if (!args.has('no-healthcheck')) return isEmpty ? undefined : (settings as Healthcheck)
  if (isEmpty) return { Test: ['NONE'] }
  throw usageError('--no-healthcheck conflicts with --health-* options')
}
