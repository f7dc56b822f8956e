import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FolderTransfers } from '#buildkit/files'
import { TsbuildError } from '#core'
import { temporaryDirectory } from '../../support/peers/index.ts'
import { HOSTILE } from './hostile-cases.ts'
import {
  data,
  END,
  FIN,
  file,
  folder,
  follow,
  type Heard,
  link,
  type Step,
} from './peers/scripted-peer.ts'
import { StreamPair } from './peers/stream-pair.ts'

describe('senders of folders that break the protocol', () => {
  const directory = temporaryDirectory('hostile-senders')
  const outside = directory.file('outside')
  const ours = directory.file('ours')
  const transfers = new FolderTransfers()

  before(() => {
    for (const path of [outside, ours]) mkdirSync(path)
    writeFileSync(join(outside, 'secret'), 'what lies outside')
    mkdirSync(join(outside, 'sub'))
  })
  after(async () => {
    await transfers[Symbol.asyncDispose]()
    directory[Symbol.dispose]()
  })

  for (const { title, hostile, fine, code = 'USAGE', isSilent = false } of HOSTILE) {
    it(`are refused: ${title}`, async () => {
      layTraps()
      const before = stateOf(outside)
      const { failure, heard } = await receive(hostile)
      assert.ok(failure instanceof TsbuildError, `${failure}`)
      assert.equal(failure.code, code, failure.message)
      assert.doesNotMatch(failure.message, /\p{Cc}/u)
      assert.ok(failure.message.length < 2000, failure.message)
      assert.equal(heard.failure === undefined, isSilent, 'whether it is told')
      assert.equal(stateOf(outside), before)
      await isUsable()
    })

    it(`are taken: ${title}`, async () => {
      layTraps()
      const { failure } = await receive(fine)
      assert.equal(failure, undefined)
    })
  }

  /** What an earlier transfer may have left. */
  function layTraps(): void {
    rmSync(ours, { recursive: true })
    mkdirSync(join(ours, 'dir'), { recursive: true })
    symlinkSync(outside, join(ours, 'trap'))
  }

  async function isUsable(): Promise<void> {
    const steps = [folder('dir'), file('dir/f', 5), link('trap', outside), END]
    const { failure } = await receive([
      ...steps,
      'request',
      data(1, 'whole'),
      data(1, ''),
      'finish',
      FIN,
    ])
    assert.equal(failure, undefined)
    assert.deepEqual(readdirSync(ours), ['dir', 'trap'])
    // The next one takes another content.
    await receive([END, 'finish', FIN])
    assert.deepEqual(readdirSync(ours), [])
  }

  async function receive(steps: readonly Step[]): Promise<{ failure: unknown; heard: Heard }> {
    const { ours: stream, theirs } = new StreamPair()
    const [heard, [received]] = await Promise.all([
      follow(theirs, steps),
      Promise.allSettled([transfers.receiveFolder(stream, ours)]),
    ])
    return { failure: received.status === 'rejected' ? received.reason : undefined, heard }
  }
})

/** All that can be seen of files, also when they were changed last. */
function stateOf(path: string): string {
  const { ino, mode, nlink, size, mtimeMs, ctimeMs } = lstatSync(path)
  const own = [path, ino, mode, nlink, size, mtimeMs, ctimeMs].join(' ')
  if (!lstatSync(path).isDirectory()) return own
  return [own, ...readdirSync(path).map((name) => stateOf(join(path, name)))].join('\n')
}
