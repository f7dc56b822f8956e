import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import fc from 'fast-check'
import { FolderTransfers } from '#buildkit/files'
import { temporaryDirectory } from '../../support/peers/index.ts'
import { listing } from './peers/listing.ts'
import { EDITS, edit } from './peers/random-edits.ts'
import { type Sent, sendAsClient } from './peers/sending-peer.ts'
import { StreamPair } from './peers/stream-pair.ts'

describe('random folders', () => {
  const transfers = new FolderTransfers()
  after(() => transfers[Symbol.asyncDispose]())

  const CUTS = fc.array(fc.record({ edits: EDITS, after: fc.nat({ max: 60 }) }), { maxLength: 3 })

  it('are the same after a transfer, whatever happened to those before', async () => {
    await fc.assert(
      fc.asyncProperty(CUTS, EDITS, async (cuts, edits) => {
        using directory = temporaryDirectory('random')
        const [theirs, ours] = [directory.file('theirs'), directory.file('ours')]
        for (const folder of [theirs, ours]) mkdirSync(folder)
        for (const cut of cuts) {
          edit(theirs, cut.edits)
          await transfer(theirs, ours, cut.after).catch(isCut)
        }
        edit(theirs, edits)
        await transfer(theirs, ours)
        assert.equal(listing(ours), listing(theirs))
        const before = stateOf(ours)
        const { requested } = await transfer(theirs, ours)
        assert.deepEqual(requested, [])
        assert.equal(stateOf(ours), before)
      }),
      { numRuns: 60 },
    )
  })

  async function transfer(
    theirs: string,
    ours: string,
    most = Number.POSITIVE_INFINITY,
  ): Promise<Sent> {
    const pair = new StreamPair()
    const onPacket = (_: unknown, count: number): void => {
      if (count < most) return
      pair.cut(new Error(CUT))
      throw new Error(CUT)
    }
    const [sent, received] = await Promise.allSettled([
      sendAsClient(pair.theirs, theirs, { onPacket }),
      transfers.receiveFolder(pair.ours, ours),
    ])
    if (received.status === 'rejected') throw received.reason
    if (sent.status === 'rejected') throw sent.reason
    return sent.value
  }

  function isCut(cause: unknown): void {
    assert.equal(cause instanceof Error ? cause.message : cause, CUT)
  }
})

const CUT = 'the connection is cut'

/** What would show that something was written. */
function stateOf(folder: string): string {
  return execFileSync('find', ['.', '-printf', '%p %i %C@\\n'], { cwd: folder, encoding: 'latin1' })
}
