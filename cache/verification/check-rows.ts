import type { Digest } from '#core'
import { hasFolder } from '../records/layer-record.ts'
import type { Finding } from './finding.ts'
import type { RowTable, StoreAudit } from './store-audit.ts'

/** What it means that a row is not found. */
const MEANING: Readonly<Record<RowTable, string>> = {
  records: 'its step runs again',
  layers: 'its layer is made again',
  compressed: 'the layer that it holds is packed again',
  differences: 'its layer is made again',
  seals: 'the folder of its layer is compared with the blob again',
  presumed: 'it is not known any more that owners of its files were presumed',
}

/** Rows that do not fit their checksums, of a database that SQLite finds sound: a bit may flip in a value. */
export function checkRows(audit: StoreAudit): readonly Finding[] {
  return [...audit.damagedRows()].map(
    ({ table, key, forget }): Finding => ({
      severity: 'damage',
      subject: `${table} ${key}`,
      problem: `does not fit its checksum: ${MEANING[table]}`,
      remedy: 'forgets it',
      repair: forget,
    }),
  )
}

/** Records whose layer is in no form on this machine: each is dropped when it is looked up. */
export function checkLost(audit: StoreAudit): readonly Finding[] {
  const { layers } = audit.store
  const blobs = new Set<Digest>(audit.blobs().map(({ digest }) => digest))
  const lost = [...audit.records()].filter(({ layer: id }) => {
    if (id === undefined) return false
    const layer = layers.get(id)
    if (layer !== undefined && hasFolder(layer)) return false
    return !audit.formsOf(layer?.diffId).some((digest) => blobs.has(digest))
  })
  if (lost.length === 0) return []
  const [{ description } = { description: '' }] = lost
  const others = lost.length === 1 ? '' : ` and ${lost.length - 1} others`
  return [
    {
      severity: 'leftover',
      subject: 'records',
      problem: `of ${JSON.stringify(description)}${others} lead to layers that are gone: the steps run again`,
      remedy: 'forgets them',
      repair: () => audit.forgetRecords(lost),
    },
  ]
}
