import { comparePaths, type Name } from '#core'
import { type ContentRecord, RECORD_PARTS } from './checksum.ts'

/**
 * What `Checksum` digests of a directory of which something was changed, from what it digested before.
 * @param text of the directory as it was
 * @param records what was read anew of it, in the order of a walk
 * @param isLeft whether an entry of which nothing was read is still there
 */
export function mergeRecords(
  text: string,
  records: readonly ContentRecord[],
  isLeft: (name: Name) => boolean,
): string {
  const fresh = records.toReversed()
  let merged = ''
  /** Up to here the text was taken over, or left out. */
  let done = 0
  const takeOver = (end: number): void => {
    merged += text.slice(done, end)
    done = end
  }
  const addFresh = (): void => {
    merged += fresh.pop()?.text ?? ''
  }
  // Behind what was begun are two NULs.
  for (let at = text.indexOf('\0') + 2; at < text.length; ) {
    const name = text.slice(at, text.indexOf('\0', at)) as Name
    const end = endOfRecord(text, at)
    for (; isBefore(fresh.at(-1), name); addFresh()) takeOver(at)
    const isFresh = fresh.at(-1)?.name === name
    if (isFresh || !isLeft(name)) {
      takeOver(at)
      done = end
    }
    if (isFresh) addFresh()
    at = end
  }
  takeOver(text.length)
  while (fresh.length > 0) addFresh()
  return merged
}

function isBefore(record: ContentRecord | undefined, name: Name): boolean {
  return record !== undefined && record.name !== name && comparePaths(record.name, name) < 0
}

function endOfRecord(text: string, start: number): number {
  let at = start
  for (let part = 0; part < RECORD_PARTS; part++) at = text.indexOf('\0', at) + 1
  return at
}
