import { statfsSync } from 'node:fs'
import type { SpaceLimits } from '#cache'
import { TsbuildError } from '#core'
import { type CacheLimit, parseCacheLimit } from '../../arguments/cache-limit.ts'
import { readSetting } from '../../settings/config-file.ts'
import type { Shell } from '../../terminal/shell.ts'

const GB = 1024 ** 3

/** Shares of the disk, and never more than so many bytes. */
const DEFAULTS = {
  reserved: { share: 0.05, most: 2 * GB },
  maxUsed: { share: 0.25, most: 50 * GB },
  minFree: { share: 0.1, most: 20 * GB },
} as const

/** What a store is kept within. */
export interface StoreLimit {
  readonly root: string
  /** Of the command line or the environment; absent: what files of settings say, else a part of the disk. */
  readonly limit: CacheLimit | undefined
}

/**
 * The limits of a store; `undefined`: any amount. See docs/cache-size.md
 * @throws {TsbuildError} USAGE for a file of settings
 */
export async function limitsOf(
  { root, limit }: StoreLimit,
  env: Shell['env'],
): Promise<SpaceLimits | undefined> {
  const given = limit ?? (await configured(env))
  return given === 'none' ? undefined : withDefaults(root, given)
}

async function configured(env: Shell['env']): Promise<CacheLimit | undefined> {
  const setting = await readSetting('cache-max', env)
  if (setting === undefined) return undefined
  const { value, file } = setting
  if (typeof value === 'string') return parseCacheLimit(value, `cache-max in ${file}`)
  throw new TsbuildError(`${file}: cache-max is not a text`, {
    code: 'USAGE',
    hint: 'write it like cache-max = "20GB"',
  })
}

function withDefaults(root: string, given: number | undefined): SpaceLimits {
  const { blocks, bsize } = statfsSync(root)
  const part = ({ share, most }: { readonly share: number; readonly most: number }): number =>
    Math.min(blocks * bsize * share, most)
  const maxUsed = given ?? part(DEFAULTS.maxUsed)
  const reserved = Math.min(part(DEFAULTS.reserved), maxUsed)
  return { reserved, maxUsed, minFree: part(DEFAULTS.minFree) }
}
