/** What is wanted of the header of an installed package. Spec: RPM, file format v4, header */
export interface RpmHeader {
  readonly name: string | undefined
  readonly version: string | undefined
  readonly release: string | undefined
  readonly arch: string | undefined
  readonly license: string | undefined
  readonly vendor: string | undefined
  readonly source: string | undefined
  readonly epoch: number | undefined
}

/** Spec: RPM, rpmtag.h */
const TAGS = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  license: 1014,
  arch: 1022,
  source: 1044,
} as const

const START = 8
const ENTRY = 16
const INT32 = 4
/** A text, and one with translations, of which the first is the untranslated one. */
const TEXTS: readonly number[] = [6, 9]
/** Of one header. */
const MAX_TEXT = 4096

/** Reads a header as databases have it, without the magic of files. What is damaged has nothing. */
export function rpmHeader(blob: Buffer): RpmHeader {
  const entries = blob.length < START ? 0 : blob.readUInt32BE(0)
  const data = START + entries * ENTRY
  const found = new Map<number, number | string>()
  for (let at = START; at < data && at + ENTRY <= blob.length; at += ENTRY) {
    const [tag = 0, type = 0, offset = 0] = [0, 4, 8].map((field) => blob.readUInt32BE(at + field))
    const value = valueAt(blob, data + offset, type)
    if (value !== undefined && !found.has(tag)) found.set(tag, value)
  }
  const text = (tag: number): string | undefined => {
    const value = found.get(tag)
    return typeof value === 'string' ? value : undefined
  }
  const epoch = found.get(TAGS.epoch)
  return {
    name: text(TAGS.name),
    version: text(TAGS.version),
    release: text(TAGS.release),
    arch: text(TAGS.arch),
    license: text(TAGS.license),
    vendor: text(TAGS.vendor),
    source: text(TAGS.source),
    epoch: typeof epoch === 'number' ? epoch : undefined,
  }
}

function valueAt(blob: Buffer, at: number, type: number): number | string | undefined {
  if (type === INT32) return at + INT32 <= blob.length ? blob.readInt32BE(at) : undefined
  if (!TEXTS.includes(type)) return undefined
  const end = blob.subarray(at, at + MAX_TEXT).indexOf(0)
  return end < 0 ? undefined : blob.toString('utf8', at, at + end)
}
