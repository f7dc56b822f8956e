import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FolderTransfers } from '#buildkit/files'
import { temporaryDirectory } from '../../support/peers/index.ts'
import { listing } from './peers/listing.ts'
import { sendAsClient } from './peers/sending-peer.ts'
import { StreamPair } from './peers/stream-pair.ts'

const PROCESS = fileURLToPath(new URL('./peers/receiving-process.js', import.meta.url))

describe('a process that is killed while it receives a folder', () => {
  it('leaves what the next one makes whole', async () => {
    using directory = temporaryDirectory('killed')
    await using transfers = new FolderTransfers()
    const theirs = directory.file('theirs')
    fill(theirs)
    for (const least of [1, 100, 400, 700]) {
      const ours = directory.file(`ours${least}`)
      mkdirSync(ours)
      await killAt(least, theirs, ours)
      const count = countOf(ours)
      assert.ok(count >= least && count < COUNT, `${count} of ${COUNT}`)
      const { ours: stream, theirs: peer } = new StreamPair()
      await Promise.all([sendAsClient(peer, theirs), transfers.receiveFolder(stream, ours)])
      assert.equal(listing(ours), listing(theirs))
    }
  })
})

/** Kills a process once it has made so many files. */
async function killAt(least: number, theirs: string, ours: string): Promise<void> {
  const child = spawn(process.execPath, [PROCESS, theirs, ours], { stdio: 'inherit' })
  const ended = once(child, 'close')
  while (countOf(ours) < least && child.exitCode === null) await setTimeout(1)
  child.kill('SIGKILL')
  await ended
}

function countOf(folder: string): number {
  return readdirSync(folder, { recursive: true }).length
}

const FOLDERS = 80
const FILES = 25
/** All that is below the folder. */
const COUNT = FOLDERS * (FILES + 2)

function fill(folder: string): void {
  mkdirSync(folder)
  for (let outer = 0; outer < FOLDERS; outer++) {
    const path = join(folder, `${outer}`)
    mkdirSync(path)
    for (let inner = 0; inner < FILES; inner++) {
      writeFileSync(join(path, `${inner}`), Buffer.alloc(inner * 100, `${outer}`))
    }
    linkSync(join(path, '0'), join(path, 'z'))
  }
}
