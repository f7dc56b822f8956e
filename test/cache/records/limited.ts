/** Uses a store in a process with limited rights: see `LIMITED`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LayerId, layerId, openStore, stackLayerId } from '#cache'
import { asDiffId, digestOf, ownersFileOf } from '#core'
import { answer } from '../../support/rights/index.ts'

const DIFF_ID = asDiffId(digestOf('a layer'))
/** The layer that a step has left. */
export const IDENTIFIED: LayerId = stackLayerId([DIFF_ID])

/** A layer of a store. */
export interface LayerQuestion {
  readonly root: string
  readonly id: string
  /** Its folder is made with this in a file, unless it has one. */
  readonly text?: string | undefined
  /** The layer is a step's, which is named by its content afterwards. */
  readonly isIdentified?: boolean
}

/** What the process sees of it. */
export interface LayerAnswer {
  readonly hasFolder: boolean
  readonly elsewhere: number
  /** What is in the file; absent without a folder. */
  readonly text?: string
}

export async function ask(question: LayerQuestion): Promise<LayerAnswer> {
  const { root, id, text, isIdentified } = question
  await using store = openStore(root)
  const name: LayerId = layerId(id)
  if (text !== undefined) {
    await using temporary = store.temporary()
    const directory = join(temporary.path, 'made')
    mkdirSync(directory)
    writeFileSync(join(directory, 'file'), text)
    writeFileSync(ownersFileOf(directory), '')
    const made = await store.layers.commitDirectory(directory, isIdentified ? {} : { id: name })
    if (isIdentified) store.layers.identify(made.id, { diffId: DIFF_ID, size: 1 }, [])
  }
  const record = store.layers.get(name)
  const elsewhere = record?.elsewhere?.length ?? 0
  if (record?.directory !== true) return { hasFolder: false, elsewhere }
  const file = join(store.layers.directory(name), 'file')
  return { hasFolder: true, elsewhere, text: readFileSync(file, 'utf8') }
}

if (process.argv[1] === import.meta.filename) await answer(ask)
