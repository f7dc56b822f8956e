import type { ContainerSettings } from '#builder/sandbox'
import { TsbuildError } from '#core'

type SecuritySettings = Pick<
  ContainerSettings,
  'seccomp' | 'apparmor' | 'labels' | 'noNewPrivileges' | 'maskedPaths' | 'readonlyPaths'
>

/**
 * Reads `--security-opt`: `NAME=VALUE`, or `NAME:VALUE` as it was written once.
 * @throws {TsbuildError} USAGE
 */
export function parseSecurityOptions(options: readonly string[]): SecuritySettings {
  let found: SecuritySettings = {}
  for (const option of options) found = { ...found, ...parseOption(option, found) }
  return found
}

function parseOption(option: string, { labels = [] }: SecuritySettings): SecuritySettings {
  const [, name = option, value] = /^([a-z-]+)[=:](.*)$/s.exec(option) ?? []
  switch (name) {
    case 'seccomp':
      return value === undefined ? unknown(option) : { seccomp: seccompOf(value) }
    case 'apparmor':
      return value === undefined ? unknown(option) : { apparmor: value }
    case 'label':
      return value === undefined ? unknown(option) : { labels: [...labels, value] }
    case 'no-new-privileges':
      if (value !== undefined && value !== 'true' && value !== 'false') return unknown(option)
      return { noNewPrivileges: value !== 'false' }
    case 'systempaths':
      return value === 'unconfined' ? { maskedPaths: [], readonlyPaths: [] } : unknown(option)
    case 'writable-cgroups':
      return value === 'false' || value === '0' ? {} : unknown(option)
    default:
      return unknown(option)
  }
}

function seccompOf(value: string): NonNullable<ContainerSettings['seccomp']> {
  if (value === 'unconfined') return value
  if (value === 'default' || value === 'builtin') return 'default'
  try {
    return { profile: JSON.parse(value) }
  } catch (cause) {
    throw new TsbuildError('Decoding seccomp profile failed: it is not JSON', {
      code: 'USAGE',
      cause,
    })
  }
}

function unknown(option: string): never {
  throw new TsbuildError(`invalid --security-opt 2: ${JSON.stringify(option.slice(0, 200))}`, {
    code: 'USAGE',
  })
}
