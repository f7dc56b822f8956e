import { usageError } from '#core'
import type { HostConfig } from '#engine/model'
import { readText } from './values.ts'

type Settings = Pick<HostConfig, 'SecurityOpt' | 'MaskedPaths' | 'ReadonlyPaths'>

/** `--security-opt`. The file of a seccomp profile is read here: the daemon gets what is in it. @throws {TsbuildError} USAGE */
export function parseSecurity(texts: readonly string[]): Settings {
  const options = texts.map(readProfile)
  const kept = options.filter((option) => option !== 'systempaths=unconfined')
  if (kept.length === options.length) return { SecurityOpt: kept }
  return { SecurityOpt: kept, MaskedPaths: [], ReadonlyPaths: [] }
}

function readProfile(text: string): string {
  const [, name = '', value] = /^([^=:]+)(?:[=:](.*))?$/s.exec(text) ?? []
  if (value === undefined && text !== 'no-new-privileges') {
    throw usageError(`invalid --security-opt: "${text}"`)
  }
  if (name !== 'seccomp' || value === undefined || value === 'unconfined' || value === 'builtin') {
    return text
  }
  try {
    return `seccomp=${JSON.stringify(JSON.parse(readText(value)))}`
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw usageError(`compacting json for seccomp profile (${value}) failed: ${cause.message}`)
  }
}
