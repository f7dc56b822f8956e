import type { BuildOptions } from '#builder'
import { usageError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'

/** What kaniko's flags and variables say of registries. */
type Registries = Pick<BuildOptions, 'registryMirrors' | 'registryAuthorities'>

/**
 * Mirrors of docker.io, mirrors of other registries, and certificates to trust. An authority counts for every
 * registry, whatever the host before it.
 * @throws {TsbuildError} USAGE
 */
export function kanikoRegistries(args: Arguments, env: Shell['env']): Registries {
  const mirrors = [
    ...wordsOf(env.KANIKO_REGISTRY_MIRROR, ','),
    ...args.list('registry-mirror').flatMap((text) => wordsOf(text, ',')),
  ]
  const maps = [
    ...wordsOf(env.KANIKO_REGISTRY_MAP, ';'),
    ...args.list('registry-map').flatMap((text) => wordsOf(text, ';')),
  ]
  const certificates = args.list('registry-certificate').flatMap((text) => wordsOf(text, ';'))
  return {
    registryMirrors: [...maps, ...mirrors.map((mirror) => `docker.io=${mirror}`)],
    registryAuthorities: certificates.map(fileOf),
  }
}

function wordsOf(text: string | undefined, separator: string): readonly string[] {
  return (text ?? '').split(separator).filter((word) => word !== '' && word !== 'false')
}

function fileOf(text: string): string {
  const [, file] = /^[^=]+=(.+)$/s.exec(text) ?? []
  if (file !== undefined) return file
  const hint = 'write --registry-certificate HOST=FILE'
  throw usageError(`invalid --registry-certificate "${text}"`, hint)
}
