import { lstatSync } from 'node:fs'
import { digestFolder } from '#builder/solve'
import { type Finding, hasFolder, isStackLayerId, type LayerId, type LayerRecord } from '#cache'
import { TsbuildError } from '#core'
import type { VerifyDeps } from './verify-deps.ts'

/** What checking the folders of layers has shown. */
export interface CheckedLayers {
  readonly findings: readonly Finding[]
  readonly proven: number
  /** Folders of which nothing says what they have to hold: a base's that was never sent anywhere, for one. */
  readonly unproven: number
}

/** `gone`: a build has changed it, or what lies below, meanwhile. */
type Verdict = 'proven' | 'unproven' | 'gone' | { readonly problem: string }

/**
 * Digests every folder of a layer, together with what lies below. Those below come first: on a damaged layer
 * a sound one looks damaged as well.
 * @param tars paths of those that are damaged
 */
export async function checkLayers(
  deps: VerifyDeps,
  tars: ReadonlySet<string>,
): Promise<CheckedLayers> {
  const { audit, stacks } = deps
  const { layers } = audit.store
  const made = new Set(audit.records().flatMap(({ layer }) => madeIds(layer && layers.get(layer))))
  const folders = audit.layers().filter(hasFolder)
  const byDepth = Map.groupBy(folders, ({ id }) => stacks.below(id)?.length ?? 0)
  const findings: Finding[] = []
  const damaged = new Set<string>(tars)
  let [proven, unproven] = [0, 0]
  for (const depth of [...byDepth.keys()].sort((a, b) => a - b)) {
    const checking = (byDepth.get(depth) ?? []).map(async (layer) => {
      const lowers = await stacks.lowers(layer.id)
      const standsOnDamage = lowers?.some((path) => damaged.has(path)) === true
      const verdict = standsOnDamage
        ? 'unproven'
        : await verdictOn(layer, { lowers, isMade: made.has(layer.id), deps })
      return { layer, verdict }
    })
    for (const { layer, verdict } of await Promise.all(checking)) {
      if (verdict === 'proven') proven += 1
      else if (verdict === 'unproven') unproven += 1
      else if (verdict !== 'gone') {
        damaged.add(layers.directory(layer.id))
        findings.push(damagedLayer(layer, verdict.problem, deps))
      }
    }
  }
  return { findings, proven, unproven }
}

function madeIds(layer: LayerRecord | undefined): readonly LayerId[] {
  return layer === undefined ? [] : [layer.id]
}

interface Known {
  readonly lowers: readonly string[] | undefined
  /** A step of this machine has made it, so that its folder says the same as its tar. */
  readonly isMade: boolean
  readonly deps: VerifyDeps
}

async function verdictOn(layer: LayerRecord, { lowers, isMade, deps }: Known): Promise<Verdict> {
  const { layers } = deps.audit.store
  const { id, diffId } = layer
  const directory = layers.directory(id)
  // A build may put another folder in the place of any of them, or remove it.
  const before = inodesOf([directory, ...(lowers ?? [])])
  const isChanged = (): boolean => inodesOf([directory, ...(lowers ?? [])]) !== before
  try {
    const seal = layers.seal(id)
    // What differs from another folder says less than the tar.
    const whole = layer.directory ? { diffId, lowers } : {}
    const { isProven } = await digestFolder({ directory, ...whole, seal }, deps)
    if (isProven) return 'proven'
    if (isChanged()) return 'gone'
    // What fits any stack says by itself what the tar says.
    const isComparable = lowers !== undefined || !isStackLayerId(id)
    const isKnown = seal !== undefined || (isMade && diffId !== undefined && isComparable)
    return isKnown ? { problem: 'its folder does not hold what was made' } : 'unproven'
  } catch (cause) {
    if (isChanged()) return 'gone'
    if (!(cause instanceof TsbuildError) || cause.code === 'CANCELLED') throw cause
    // No tar can hold it: there never was a digest.
    if (cause.code === 'LAYER_INVALID') return 'unproven'
    return { problem: `its folder cannot be read (${cause.message})` }
  }
}

/** What folders are in these places; one that is not there is a change in any case. */
function inodesOf(paths: readonly string[]): string {
  const inodes = paths.map(
    (path) => lstatSync(path, { throwIfNoEntry: false })?.ino ?? Math.random(),
  )
  return inodes.join()
}

function damagedLayer(layer: LayerRecord, problem: string, { audit }: VerifyDeps): Finding {
  return {
    severity: 'damage',
    subject: `layer ${layer.id}`,
    problem: `${problem}: steps that use it would see wrong files`,
    remedy:
      'sets it aside, so that the next build makes it anew of its blob, or runs its step again',
    repair: () => audit.setLayerAside(layer),
  }
}
