import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { applyLayer } from '#builder/layer'
import {
  type TemporaryDirectory,
  temporaryDirectory,
  writeLayout,
} from '../../../support/peers/index.ts'
import { fuzz, orTypedLater } from '../../../support/random/index.ts'
import { hasTool, isRoot } from '../support/files.ts'
import { listing } from '../support/listing.ts'
import { changedTars } from './changed-tars.ts'

/** What umoci cannot unpack, as opposed to what is wrong: sparse files, and records for all entries. */
const UNKNOWN_TO_UMOCI = /unknown typeflag '\\x(53|67)'/
/** A deletion, which umoci has nothing to show for in a lowest layer. */
const WHITEOUT = / 20\d{3} \d+:\d+.* 0:0$/

describe('fuzz: tars that are unpacked', () => {
  let place: TemporaryDirectory
  before(function () {
    if (!isRoot || !hasTool('umoci')) this.skip()
    place = temporaryDirectory('fuzz-unpacked')
  })
  after(() => place?.[Symbol.dispose]())

  fuzz('F4: are what umoci unpacks, or are refused', {
    name: 'tars-unpacked',
    inputs: changedTars,
    check: async (tar) => {
      const bytes = Buffer.from(tar, 'latin1')
      const [ours, work] = [place.file('ours'), place.file('work')]
      try {
        const applied = await orTypedLater(['LAYER_INVALID'], () =>
          applyLayer(whole(bytes), ours, { lowers: [] }),
        )
        if (applied === undefined) return
        const theirs = await unpackedByUmoci(bytes, work)
        if (theirs === undefined) return
        const files = listing(ours).filter((line) => !WHITEOUT.test(line))
        assert.deepEqual(files, listing(theirs))
      } finally {
        for (const path of [ours, work]) rmSync(path, { recursive: true, force: true })
      }
    },
  })
})

/** The folder with the files; `undefined` for what umoci knows nothing of. */
async function unpackedByUmoci(tar: Buffer, work: string): Promise<string | undefined> {
  mkdirSync(work)
  writeFileSync(`${work}/tar`, tar)
  await writeLayout(`${work}/layout`, { tar: `${work}/tar`, config: {} })
  const image = `${work}/layout:latest`
  const { status, stderr } = spawnSync('umoci', ['unpack', '--image', image, `${work}/bundle`])
  if (status !== 0 && UNKNOWN_TO_UMOCI.test(stderr.toString())) return undefined
  assert.equal(status, 0, stderr.toString())
  return `${work}/bundle/rootfs`
}

async function* whole(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
