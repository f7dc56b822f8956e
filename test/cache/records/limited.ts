/** Uses a store in a process with limited rights: see `LIMITED`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LayerId, layerId, openStore } from '#cache'
import { ownersFileOf } from '#core'
import { answer } from '../../support/rights/index.ts'

/** A layer of a store. */
export interface LayerQuestion {
  readonly root: string
  readonly id: string
  /** Its folder is made with this in a file, unless it has one. */
  readonly text?: string | undefined
}

/** What the process sees of it. */
export interface LayerAnswer {
  readonly hasFolder: boolean
  readonly elsewhere: number
  /** What is in the file; absent without a folder. */
  readonly text?: string
}

export async function ask({ root, id, text }: LayerQuestion): Promise<LayerAnswer> {
  await using store = openStore(root)
  const name: LayerId = layerId(id)
  if (text !== undefined) {
    await using temporary = store.temporary()
    const made = join(temporary.path, 'made')
    mkdirSync(made)
    writeFileSync(join(made, 'file'), text)
    writeFileSync(ownersFileOf(made), '')
    await store.layers.commitDirectory(made, { id: name })
  }
  const record = store.layers.get(name)
  const elsewhere = record?.elsewhere?.length ?? 0
  if (record?.directory !== true) return { hasFolder: false, elsewhere }
  const file = join(store.layers.directory(name), 'file')
  return { hasFolder: true, elsewhere, text: readFileSync(file, 'utf8') }
}

if (process.argv[1] === import.meta.filename) await answer(ask)
