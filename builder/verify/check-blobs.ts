import { chmodSync, lstatSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Finding, type FoundBlob, kindOf } from '#cache'
import { TsbuildError } from '#core'
import { damagedBlob, missingBlob, wrongClaim } from './blob-findings.ts'
import { type LayerClaim, layerClaims } from './layer-claims.ts'
import type { NeededBlob } from './needed-blobs.ts'
import type { VerifyDeps } from './verify-deps.ts'

/** What checking the blobs of a store has shown. */
export interface CheckedBlobs {
  readonly findings: readonly Finding[]
  readonly count: number
  /** Paths of those that are not what they are named after. */
  readonly damaged: ReadonlySet<string>
}

/** Modes that the store gives its blobs: once they are on the disk, and before, those that can be made again, too. */
const MODES: ReadonlySet<number> = new Set([0o444, 0o644, 0o640])

/** Reads every blob, several at a time, and the layers that they are said to hold; then looks for missing ones. */
export async function checkBlobs(deps: VerifyDeps): Promise<CheckedBlobs> {
  const claims = layerClaims(deps)
  const blobs = [...deps.audit.blobs()]
  const damaged = new Set<string>()
  const checked = await Promise.all(
    blobs.map(async (blob) => {
      const { digest } = blob
      const problem = await problemOf(blob, claims.get(digest)?.[0], deps)
      if (problem === undefined) return []
      if (typeof problem === 'string') {
        damaged.add(blob.path)
        return [damagedBlob(digest, problem, deps)]
      }
      const wrong = (claims.get(digest) ?? []).filter(({ diffId }) => diffId !== problem.diffId)
      return [...wrong.map((claim) => wrongClaim(digest, claim, deps)), ...checkMode(blob)]
    }),
  )
  const missing = await checkMissing(deps)
  return { findings: [...checked.flat(), ...missing], count: blobs.length, damaged }
}

/** Milliseconds, and how often what is missing is looked at: a name and its blobs may go, and come again. */
const LOOKS = { pause: 50, count: 4 } as const

async function checkMissing(deps: VerifyDeps): Promise<readonly Finding[]> {
  const { audit, needed } = deps
  const isMissing = (blob: NeededBlob): boolean =>
    !audit.isThere(blob.descriptor.digest) && needed.isStillNeeded(blob)
  let missing = [...needed].filter(isMissing)
  for (let look = 1; missing.length > 0 && look < LOOKS.count; look++) {
    await setTimeout(LOOKS.pause)
    missing = missing.filter(isMissing)
  }
  return missing.map((blob) => missingBlob(blob, deps))
}

/** What is wrong with a blob, else what it holds; `undefined` when a build has removed it meanwhile. */
async function problemOf(
  { digest, path, found, earlier }: FoundBlob,
  claim: LayerClaim | undefined,
  { pool, needed, onBytes, signal }: VerifyDeps,
): Promise<string | { readonly diffId: string | undefined } | undefined> {
  if (!found.isFile()) return `is ${kindOf(found)}`
  try {
    const task = { path, earlier, compression: claim?.compression }
    const blob = await pool.run('digestBlob', task, signal)
    onBytes(blob.size)
    // Another one may have come to its place.
    if (blob.digest !== digest && lstatSync(path).ino === found.ino) return 'holds other bytes'
    const { size = blob.size } = needed.get(digest)?.descriptor ?? {}
    return size === blob.size ? { diffId: blob.diffId } : `has ${blob.size} bytes, not ${size}`
  } catch (cause) {
    if (!isThere(path)) return undefined
    if (!(cause instanceof TsbuildError) || cause.code === 'CANCELLED') throw cause
    return `cannot be read (${cause.message})`
  }
}

function checkMode({ digest, path, found }: FoundBlob): readonly Finding[] {
  const mode = found.mode & 0o777
  if (MODES.has(mode)) return []
  return [
    {
      severity: 'damage',
      subject: `blob ${digest}`,
      problem: `has mode 0${mode.toString(8)}, which the store gives to none`,
      remedy: 'gives it mode 0644, so that the next build writes it to the disk once more',
      repair: () => chmodSync(path, 0o644),
    },
  ]
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
