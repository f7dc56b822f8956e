import assert from 'node:assert/strict'
import { CallError } from '../../../../buildkit/session/call-error.ts'

/** How a call has failed, which it must. */
export async function failureOf(work: Promise<unknown>): Promise<CallError> {
  const failure = await work.then(
    () => assert.fail('it did not fail'),
    (cause: unknown) => cause,
  )
  assert.ok(failure instanceof CallError, String(failure))
  return failure
}
