import { lstatSync, mkdirSync, rmSync, truncateSync } from 'node:fs'
import { flipBit } from '../../../support/peers/index.ts'
import type { StoreCopy } from './stored-image.ts'

/** Files of a store. */
export const FILES: Readonly<Record<string, (copy: StoreCopy) => string>> = {
  'the tar of a step': (copy) => copy.layer(1),
  'the only form of a copy': (copy) => copy.layer(0),
  'a layer of the base': (copy) => copy.baseBlob(),
  'the config': (copy) => copy.blob(copy.image.built.imageId ?? ''),
  'the manifest': (copy) => copy.blob(copy.image.built.digest ?? ''),
  'a file in the folder of a step': (copy) => copy.inLayer('d/ran'),
  'the index': (copy) => copy.path('index.json'),
  'the database': (copy) => copy.path('tsbuild.db'),
  'the version': (copy) => copy.path('version'),
  'the mark of a layout': (copy) => copy.path('oci-layout'),
}

/** Those that are made of something else in the store. */
export const MENDED: ReadonlySet<string> = new Set([
  'the tar of a step',
  'a file in the folder of a step',
  'the index',
  'the database',
  'the version',
  'the mark of a layout',
])

/** What may happen to a file. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'a flipped bit': (path) => flipBit(path, lstatSync(path).size >> 1),
  'half of it missing': (path) => truncateSync(path, lstatSync(path).size >> 1),
  'the file missing': (path) => rmSync(path),
  'a folder in its place': (path) => {
    rmSync(path)
    mkdirSync(path)
  },
}

/** How much of a table is tried: all of it, or a part that has every row and every column. */
export type Part = 'all' | 'some'

/** The damages of the row `index` of a table. */
export function damagesOf(
  index: number,
  part: Part,
): readonly (readonly [string, (path: string) => void])[] {
  const all = Object.entries(DAMAGES)
  return part === 'all' ? all : all.filter((_, column) => column === index % all.length)
}
