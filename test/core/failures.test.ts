import assert from 'node:assert/strict'
import { errnoOf, firstFailure, ioError, isCancelled, TsbuildError, typedFailure } from '#core'

/** What `await using` throws when closing fails after a failure; `suppressed` is the older one. */
function suppressing(error: unknown, suppressed: unknown): Error {
  const failure = new Error('An error was suppressed during disposal.')
  return Object.assign(failure, { name: 'SuppressedError', error, suppressed })
}

const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
const closing = Object.assign(new Error('EIO: i/o error, rmdir'), { code: 'EIO' })
/** As Node reports it: by its number. */
const overQuota = Object.assign(new Error('UNKNOWN: unknown error, write'), {
  code: 'UNKNOWN',
  errno: -122,
})
const cancelled = new TsbuildError('stopped', { code: 'CANCELLED' })

describe('failures', () => {
  it('are what went wrong first, however much closing added', () => {
    const nested = suppressing(closing, suppressing(new Error('more'), full))
    assert.equal(firstFailure(nested), full)
    assert.equal(errnoOf(nested), 'ENOSPC')
    assert.equal(ioError('write x', nested).code, 'NO_SPACE')
    assert.equal(isCancelled(suppressing(closing, cancelled)), true)
    assert.equal(ioError('x', suppressing(closing, cancelled)), cancelled)
  })

  it('of the language are unwrapped, too', async () => {
    const work = async (): Promise<void> => {
      await using _one = { [Symbol.asyncDispose]: () => Promise.reject(closing) }
      await using _two = { [Symbol.asyncDispose]: () => Promise.reject(closing) }
      throw full
    }
    const failure = await work().catch((cause: unknown) => cause)
    assert.notEqual(failure, full)
    assert.equal(firstFailure(failure), full)
  })

  it('that Node does not know by name say what they are', () => {
    assert.equal(errnoOf(overQuota), 'EDQUOT')
    assert.equal(ioError('write x', overQuota).message, 'write x: disk quota exceeded')
    const damaged = Object.assign(new Error('Unknown system error -117'), {
      code: '?',
      errno: -117,
    })
    assert.equal(ioError('read x', damaged).message, 'read x: structure needs cleaning')
    assert.equal(
      errnoOf(Object.assign(new Error('x'), { code: 'UNKNOWN', errno: -9999 })),
      'UNKNOWN',
    )
  })

  it('of system calls get a code; mistakes of the program stay what they are', () => {
    for (const [cause, code] of [
      [full, 'NO_SPACE'],
      [Object.assign(new Error('x'), { code: 'EDQUOT' }), 'NO_SPACE'],
      [overQuota, 'NO_SPACE'],
      [
        Object.assign(new Error('x'), { code: 'Unknown system error -117', errno: -117 }),
        'IO_FAILED',
      ],
      [closing, 'IO_FAILED'],
      [Object.assign(new Error('x'), { code: 'EACCES' }), 'PERMISSION_DENIED'],
      [suppressing(full, closing), 'IO_FAILED'],
      [cancelled, 'CANCELLED'],
    ] as const) {
      const typed = typedFailure('work', cause)
      assert.ok(typed instanceof TsbuildError && typed.code === code, code)
    }
    for (const bug of [
      new TypeError('x'),
      Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }),
    ]) {
      assert.equal(typedFailure('work', bug), bug)
      assert.equal(typedFailure('work', suppressing(full, bug)), bug)
    }
  })
})
