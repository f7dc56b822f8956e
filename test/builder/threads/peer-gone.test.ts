import assert from 'node:assert/strict'
import { isCancelled, TsbuildError } from '#core'
import { originalFailure, peerGoneError } from '../../../builder/threads/peer-gone.ts'

describe('a failure with PEER_GONE', () => {
  const broken = peerGoneError('the reader of the tar ended too early')
  const ended = peerGoneError('a worker thread ended', new Error('out of memory'))
  const cancelled = new TsbuildError('work on files: cancelled', { code: 'CANCELLED' })
  const full = new TsbuildError('write: no space left on device', { code: 'NO_SPACE' })

  it('does not look like a cancelled build', () => {
    assert.equal(broken.code, 'PEER_GONE')
    assert.ok(!isCancelled(broken))
  })

  it('ranks below the failure that caused it', () => {
    assert.equal(originalFailure([broken, full]), full)
    assert.equal(originalFailure([full, cancelled]), full)
    assert.equal(originalFailure([cancelled, full]), full)
    assert.equal(originalFailure([broken, cancelled]), cancelled)
    assert.equal(originalFailure([broken, ended]), ended)
    assert.equal(originalFailure([broken]), broken)
  })
})
