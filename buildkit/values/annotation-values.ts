import type { Annotation, Output } from '#builder/export'
import { usageError } from '#core'

const LEVELS: readonly Annotation['level'][] = [
  'manifest',
  'index',
  'manifest-descriptor',
  'index-descriptor',
]
const HINT = `write [LEVEL:]KEY=VALUE; LEVEL is one or several of ${LEVELS.join(', ')}, with [OS/ARCH] for one platform`

/**
 * Understands `--annotation`: `KEY=VALUE` for manifests, `LEVEL[PLATFORM],LEVEL:KEY=VALUE` for others.
 * @throws {TsbuildError} USAGE
 */
export function parseAnnotations(text: string): readonly Annotation[] {
  const at = text.indexOf('=')
  const [name, value] = [text.slice(0, at), text.slice(at + 1)]
  const [, levels = 'manifest', key = ''] = /^(?:([^:]*):)?(.*)$/s.exec(name) ?? []
  if (at < 1 || key === '') throw usageError(`invalid annotation ${JSON.stringify(text)}`, HINT)
  return levels.split(',').map((level) => ({ ...parseLevel(level, text), key, value }))
}

/**
 * The annotation that a field of `--output` asks for: `annotation-LEVEL[PLATFORM].KEY=VALUE`.
 * @returns `undefined` for any other field
 * @throws {TsbuildError} USAGE
 */
export function parseAnnotationField(field: string): Annotation | undefined {
  if (!/^\s*annotation[-.[]/i.test(field)) return undefined
  const [, level = '', platform, key = '', value = ''] =
    /^\s*annotation(?:-([a-z-]+))?(?:\[([^\]]*)\])?\.([^=]+)=(.*)$/is.exec(field) ?? []
  if (key === '') throw usageError(`invalid annotation ${JSON.stringify(field)}`, HINT)
  const place = platform === undefined ? '' : `[${platform}]`
  return { ...parseLevel(`${level.toLowerCase() || 'manifest'}${place}`, field), key, value }
}

/** An output with these annotations besides its own; one of files has none. */
export function annotate(output: Output, added: readonly Annotation[]): Output {
  if (added.length === 0 || isOfFiles(output)) return output
  return { ...output, annotations: [...(output.annotations ?? []), ...added] }
}

function isOfFiles(output: Output): output is Extract<Output, { type: 'local' | 'tar' }> {
  return output.type === 'local' || output.type === 'tar'
}

function parseLevel(text: string, whole: string): Pick<Annotation, 'level' | 'platform'> {
  const [, name, platform] = /^([a-z-]+)(?:\[([^\]]+)\])?$/.exec(text) ?? []
  const level = LEVELS.find((one) => one === name)
  if (level === undefined) throw usageError(`invalid annotation ${JSON.stringify(whole)}`, HINT)
  return platform === undefined ? { level } : { level, platform }
}
