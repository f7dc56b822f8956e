/** Makes layers in a process with limited rights: see `LIMITED`. */
import {
  closeSync,
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  applyLayer,
  changesOf,
  layerOwners,
  mergeLayers,
  stackTree,
  treeChanges,
  writeFiles,
  writeLayer,
} from '#builder/layer'
import { fileRights } from '#builder/linux'
import { type Change, ownersFileOf } from '#core'
import { answer, becomeUser } from '../../../support/rights/index.ts'

/** Layers to make, and a folder for them. */
export interface LayersTask {
  /** Bottom first. */
  readonly tars: readonly string[]
  /** Is made unless it is there. */
  readonly place: string
}

/** What came out. */
export interface MadeLayers {
  /** diffIDs of each layer's directory, and of a copy of it. */
  readonly layers: readonly (readonly [string | undefined, string | undefined])[]
  /** diffIDs of the stack as one tree, and as a directory that it was merged into. */
  readonly merged: readonly (string | undefined)[]
  /** Files that the process does not own, or may not use, although it gives no owners. */
  readonly odd: readonly string[]
  /** Names at the top of what the stack was written to, and whether anything was kept beside. */
  readonly written: readonly string[]
  readonly isKeptBeside: boolean
  readonly warnings: readonly string[]
}

/** Applies layers, and reads, copies and merges what came of it. */
export async function makeLayers({ tars, place }: LayersTask): Promise<MadeLayers> {
  mkdirSync(place, { recursive: true })
  const owners = layerOwners()
  const warnings: string[] = []
  const onWarning = (text: string): void => void warnings.push(text)
  const lowers: string[] = []
  const layers: [string | undefined, string | undefined][] = []
  for (const [index, tar] of tars.entries()) {
    const [directory, copy] = [join(place, `${index}`), join(place, `${index}copy`)]
    await applyLayer(createReadStream(tar), directory, { lowers, owners, onWarning })
    writeLayer(changesOf(directory), { directory: copy }, { owners, onWarning })
    layers.push([digestOf(changesOf(directory)), digestOf(changesOf(copy))])
    lowers.unshift(directory)
  }
  const merged = join(place, 'merged')
  mergeLayers(lowers, merged, { owners })
  const files = join(place, 'files')
  const giveOwners = owners === 'keep' ? 'keep' : 'drop'
  writeFiles(treeChanges(stackTree(lowers)), files, { owners: giveOwners })
  return {
    layers,
    merged: [digestOf(treeChanges(stackTree(lowers))), digestOf(changesOf(merged))],
    written: namesIn(files),
    isKeptBeside: existsSync(ownersFileOf(files)),
    odd: owners === 'keep' ? [] : oddFiles(merged),
    warnings,
  }
}

function digestOf(changes: Iterable<Change>): string | undefined {
  const tar = openSync('/dev/null', 'w')
  try {
    return writeLayer(changes, { tar }).diffId
  } finally {
    closeSync(tar)
  }
}

/** Without devices, which few can make. */
function namesIn(directory: string): readonly string[] {
  const names = readdirSync(directory)
  const isDevice = (name: string): boolean => {
    const stat = lstatSync(join(directory, name))
    return stat.isBlockDevice() || stat.isCharacterDevice()
  }
  return names.filter((name) => !isDevice(name)).sort()
}

function oddFiles(directory: string): readonly string[] {
  const us = process.geteuid?.()
  // With their types: without them, links to directories are followed.
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.flatMap(({ parentPath, name }) => {
    const path = join(parentPath, name)
    const { uid, mode } = lstatSync(path)
    const isOpen = fileRights().overridesModes || (mode & 0o600) === 0o600
    return uid === us && isOpen ? [] : [`${path} ${uid} ${mode.toString(8)}`]
  })
}

if (process.argv[1] === import.meta.filename) {
  becomeUser(process.argv[2])
  await answer(makeLayers)
}
