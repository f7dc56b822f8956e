import { type LargestFile, largestFile } from '#builder/layer'
import type { Store } from '#cache'
import { type DiffId, errnoOf, textOfName, uncompressedDigest } from '#core'

/** A layer of an image. */
interface SizedLayer {
  readonly diffId: DiffId
  /** Bytes of its tar. */
  readonly size: number | undefined
}

/** Bytes of a tar that hardly anybody wants: whoever pulls the image has to unpack them. */
const MOST_BYTES = 64e9

/**
 * A warning for each layer that is so large, with the file that makes it so. Often that file has holes, which
 * take no space here; in a layer they are zeros.
 */
export function* largeLayers(
  layers: readonly SizedLayer[],
  { blobs }: Pick<Store, 'blobs'>,
  most: number = MOST_BYTES,
): Generator<string> {
  for (const { diffId, size = 0 } of layers) {
    if (size <= most) continue
    const file = fileIn(blobs.path(uncompressedDigest(diffId)))
    const named =
      file === undefined
        ? ''
        : `, ${inGigabytes(file.size)} of it the file /${textOfName(file.path)}`
    yield `layer ${diffId} has ${inGigabytes(size)}${named}: holes of files are zeros in a layer, which all who pull it unpack (useradd makes such files for large ids: useradd --no-log-init)`
  }
}

/** A layer of a base need not be here. */
function fileIn(tar: string): LargestFile | undefined {
  try {
    return largestFile(tar)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

function inGigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
