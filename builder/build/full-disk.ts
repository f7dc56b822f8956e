import { existsSync, type StatsFs, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Output } from '#builder/export'
import type { Settings } from '#builder/options'
import { storeUsage } from '#cache'
import { errnoOf, TsbuildError } from '#core'
import { SourceError } from '#parser'

/** Milliseconds that a failed build may spend on adding up the store. */
const PATIENCE = 1000

/** NO_SPACE gets a hint that names the file system and what takes its space; other failures stay. */
export function explainNoSpace(
  failure: unknown,
  settings: Pick<Settings, 'root' | 'outputs'>,
): unknown {
  if (!(failure instanceof TsbuildError) || failure.code !== 'NO_SPACE') return failure
  const hint = isOfQuota(failure) ? quotaHint(settings) : hintFor(settings)
  if (hint === undefined) return failure
  const { message, code, cause } = failure
  if (!(failure instanceof SourceError)) return new TsbuildError(message, { code, cause, hint })
  const { ranges, source, diagnostics } = failure
  const place = source === undefined ? {} : { source }
  return new SourceError(message, { ...{ code, cause, hint, ranges, diagnostics }, ...place })
}

/** What the file system says of its space is nothing about the quota of a user, a group or a project. */
function isOfQuota(failure: unknown): boolean {
  for (let link = failure; link instanceof Error; link = link.cause) {
    if (errnoOf(link) === 'EDQUOT') return true
  }
  return false
}

function quotaHint({ root }: Pick<Settings, 'root'>): string {
  return `the quota of this user, or of the folder, is used up, of which the store in ${root} takes ${usageOf(root)}: free some space (tsbuild prune), or put the store elsewhere with --root`
}

function hintFor({ root, outputs }: Pick<Settings, 'root' | 'outputs'>): string | undefined {
  const places = [root, ...outputs.flatMap(destinationOf)].flatMap(spaceAt)
  // What could not be written was removed, so no place may be full any more: the fullest one is meant.
  const fullest = places.reduce<FileSystemSpace | undefined>(
    (found, place) => (found === undefined || place.free < found.free ? place : found),
    undefined,
  )
  if (fullest === undefined) return undefined
  const { path, free, total } = fullest
  const size = `of ${inUnits(total)} on the file system of ${path} ${inUnits(free)} are free`
  if (path !== root) return `${size}: free some space, or name another dest`
  return `${size}, and the store there takes ${usageOf(root)}: free some space (tsbuild prune), or put the store elsewhere with --root`
}

function usageOf(root: string): string {
  const { parts, isPartial } = storeUsage(root, { milliseconds: PATIENCE })
  const bytes = parts.reduce((sum, [, part]) => sum + part, 0)
  const listed = parts.map(([name, part]) => `${name} ${inUnits(part)}`).join(', ')
  const details = listed === '' ? '' : ` (${listed})`
  return `${isPartial ? 'at least ' : ''}${inUnits(bytes)}${details}`
}

/** A folder that is written to, and the space of its file system in bytes. */
interface FileSystemSpace {
  readonly path: string
  /** Bytes, or 0 where no more files can be made. */
  readonly free: number
  readonly total: number
}

function spaceAt(path: string): readonly FileSystemSpace[] {
  let there = resolve(path)
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  try {
    const stats = statfsSync(there)
    return [{ path, free: freeOf(stats), total: stats.blocks * stats.bsize }]
  } catch {
    // Only a hint depends on it.
    return []
  }
}

function freeOf({ bavail, bsize, files, ffree }: StatsFs): number {
  return files > 0 && ffree === 0 ? 0 : bavail * bsize
}

function destinationOf(output: Output): readonly string[] {
  return 'dest' in output && typeof output.dest === 'string' ? [output.dest] : []
}

function inUnits(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toFixed(1)}${units[power]}`
}
