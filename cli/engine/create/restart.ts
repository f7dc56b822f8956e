import { usageError } from '#core'
import type { RestartPolicy } from '#engine/model'

/** `no`, `always`, `unless-stopped`, `on-failure[:COUNT]`. @throws {TsbuildError} USAGE */
export function parseRestart(text: string = 'no'): RestartPolicy {
  const [name = '', count, more] = text.split(':')
  if (name === '' && count !== undefined) {
    throw usageError('invalid restart policy format: no policy provided before colon')
  }
  if (more !== undefined) throw usageError('invalid restart policy format')
  if (count === undefined) return { Name: name || 'no', MaximumRetryCount: 0 }
  if (/^-?\d+$/.test(count)) return { Name: name, MaximumRetryCount: Number(count) }
  throw usageError('invalid restart policy format: maximum retry count must be an integer')
}
