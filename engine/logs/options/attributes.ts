import type { LogOptions } from './check-options.ts'
import type { LoggedContainer } from './logged-container.ts'
import { startError } from './option-error.ts'
import { expandTag } from './tag.ts'

/**
 * What is said with every line: labels and variables that are asked for by name or by pattern, and the tag.
 * Spec: moby daemon/logger/loginfo.go
 * @throws {TsbuildError} USAGE
 */
export function attributesOf(
  options: LogOptions,
  container: LoggedContainer,
): Readonly<Record<string, string>> {
  const labels = Object.entries(container.labels)
  const env = container.env.flatMap((entry) => {
    const end = entry.indexOf('=')
    return end < 0 ? [] : [[entry.slice(0, end), entry.slice(end + 1)] as const]
  })
  const tag = expandTag(options.tag ?? '', container)
  return Object.fromEntries([
    ...selected(labels, options.labels, options['labels-regex']),
    ...selected(env, options.env, options['env-regex']),
    ...(tag === '' ? [] : [['tag', tag] as const]),
  ])
}

type Entry = readonly [name: string, value: string]

function selected(entries: readonly Entry[], list = '', pattern = ''): readonly Entry[] {
  const names = list === '' ? [] : list.split(',')
  const regex = pattern === '' ? undefined : compile(pattern)
  return entries.filter(([name]) => names.includes(name) || regex?.test(name))
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^.*: /s, '') : ''
    throw startError(`error parsing regexp: ${reason}: \`${pattern}\``)
  }
}
