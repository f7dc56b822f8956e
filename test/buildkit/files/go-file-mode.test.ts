import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import fc from 'fast-check'
import { goFileMode } from '#buildkit/files'
import { systemFileMode } from '../../../buildkit/files/entries/go-file-mode.ts'

const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } = constants

describe('modes of Go', () => {
  // As `fmt.Printf("%#x", info.Mode())` of Go says.
  const KNOWN: readonly (readonly [what: string, system: number, go: number])[] = [
    ['a file', S_IFREG | 0o644, 0x1a4],
    ['a file without rights', S_IFREG, 0],
    ['a folder', S_IFDIR | 0o755, 0x8000_01ed],
    ['a folder such as /tmp', S_IFDIR | 0o1777, 0x8010_01ff],
    ['a link', S_IFLNK | 0o777, 0x0800_01ff],
    ['a pipe', S_IFIFO | 0o600, 0x0200_0180],
    ['a socket', S_IFSOCK | 0o777, 0x0100_01ff],
    ['a disk', S_IFBLK | 0o660, 0x0400_01b0],
    ['a device of characters', S_IFCHR | 0o666, 0x0420_01b6],
    ['a file as root runs it', S_IFREG | 0o4755, 0x0080_01ed],
    ['a folder of a group', S_IFDIR | 0o2775, 0x8040_01fd],
  ]
  for (const [what, system, go] of KNOWN) {
    it(`are known: ${what}`, () => {
      assert.equal(goFileMode(system).toString(16), go.toString(16))
      assert.equal(systemFileMode(go), system)
    })
  }

  it('say all that modes of Linux do', () => {
    const kinds = [S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK]
    const modes = fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 0, max: 0o7777 }))
    fc.assert(
      fc.property(modes, ([kind, bits]) => {
        assert.equal(systemFileMode(goFileMode(kind | bits)), kind | bits)
      }),
    )
  })

  it('are of one kind, or of none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (go) => {
        const system = systemFileMode(go)
        const dropped = 0x7000_0000 + 0x0007_fe00
        if (system !== undefined) assert.equal(goFileMode(system), (go & ~dropped) >>> 0)
      }),
    )
    const folderAndLink = 0x8800_01ff
    for (const mode of [folderAndLink, 0x0020_0000, 0x0008_0000, -1, 2 ** 32, 0.5, Number.NaN]) {
      assert.equal(systemFileMode(mode), undefined, `${mode}`)
    }
  })
})
