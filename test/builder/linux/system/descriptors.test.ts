import assert from 'node:assert/strict'
import { closeSync, readFileSync } from 'node:fs'
import {
  makePipe,
  makeSocketPair,
  type ProgramCall,
  rightsMessage,
  runCalls,
  sendDescriptors,
} from '#builder/linux'

describe('descriptors that are sent', () => {
  it('arrive with the lowest free numbers, and keep the file open', () => {
    const { readEnd, writeEnd } = makePipe()
    const [ours, theirs] = makeSocketPair()
    sendDescriptors(ours, [writeEnd, theirs])
    closeSync(writeEnd)
    const room = rightsMessage([0, 0])
    const message = [0, 0, [Buffer.alloc(8), 1], 1, room, room.length, 0]
    const calls: readonly ProgramCall[] = [
      { call: 'recvmsg', args: [3, message, 0] },
      { call: 'write', args: [4, 'through', 7] },
      { call: 'close', args: [5] },
      { call: 'exit_group', args: [0] },
    ]
    assert.deepEqual(runCalls(calls, [theirs]), [])
    for (const descriptor of [ours, theirs]) closeSync(descriptor)
    assert.equal(readFileSync(readEnd, 'utf8'), 'through')
    closeSync(readEnd)
  })

  it('are refused when the other end has been closed', () => {
    const [ours, theirs] = makeSocketPair()
    closeSync(theirs)
    assert.throws(() => sendDescriptors(ours, [0]), { code: 'EPIPE' })
    closeSync(ours)
  })
})
