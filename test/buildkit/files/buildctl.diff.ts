import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFileTimes } from '#builder/linux'
import { FolderTransfers } from '#buildkit/files'
import { findPeers, temporaryDirectory, unpackPeers } from '../../support/peers/index.ts'
import { BuildctlSession } from './peers/buildctl-session.ts'
import { listing } from './peers/listing.ts'

describe('a folder of buildctl', () => {
  it('is received, and again when it has changed', async () => {
    const peers = findPeers()
    if (peers === undefined) throw new Error('there is no buildctl: see findPeers')
    using directory = temporaryDirectory('buildctl')
    const [theirs, ours] = [directory.file('theirs'), directory.file('ours')]
    for (const folder of [theirs, ours]) mkdirSync(folder)
    fill(theirs)
    await using transfers = new FolderTransfers()
    const program = join(await unpackPeers(peers), 'buildctl')
    await using session = await BuildctlSession.open(program, theirs, directory.file('socket'))

    /** How many files are asked for. */
    async function transfer(): Promise<number> {
      const { status, ...stream } = session.diffCopy()
      let sent = 0
      const send = (message: Uint8Array): Promise<void> => {
        sent += 1
        return stream.send(message)
      }
      await transfers.receiveFolder({ ...stream, send }, ours)
      assert.equal(await status, '0')
      assert.equal(listing(ours), listing(theirs))
      // The last packet says that all has come.
      return sent - 1
    }

    assert.equal(await transfer(), 504)
    assert.equal(await transfer(), 0)
    rmSync(join(theirs, 'many'), { recursive: true })
    writeFileSync(join(theirs, 'many'), 'now a file')
    setFileTimes(join(theirs, 'program'), { atimeNs: 0n, mtimeNs: 5n })
    assert.equal(await transfer(), 2)
  })
})

function fill(folder: string): void {
  for (const path of ['d', 'd/e', 'a b', 'many', 'closed']) mkdirSync(join(folder, path))
  for (let count = 0; count < 500; count++) writeFileSync(join(folder, `many/${count}`), `${count}`)
  writeFileSync(join(folder, 'd/f'), 'of three names')
  for (const name of ['z', 'd/e/f']) linkSync(join(folder, 'd/f'), join(folder, name))
  setFileTimes(join(folder, 'd/f'), { atimeNs: 0n, mtimeNs: -1_500_000_001n })
  writeFileSync(Buffer.concat([Buffer.from(join(folder, 'a b/')), Buffer.from([0xff, 0xfe])]), 'x')
  writeFileSync(join(folder, 'program'), 'x', { mode: 0o755 })
  chmodSync(join(folder, 'program'), 0o4755)
  writeFileSync(join(folder, 'empty'), '')
  writeFileSync(join(folder, 'large'), Buffer.alloc(3_000_001, 'large'))
  symlinkSync('/nowhere', join(folder, 'link'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  execFileSync('mknod', [join(folder, 'null'), 'c', '1', '3'])
  chmodSync(join(folder, 'closed'), 0o500)
}
