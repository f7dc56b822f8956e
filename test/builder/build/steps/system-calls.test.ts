import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { constants } from 'node:os'
import { TsbuildError } from '#builder'
import { Workplace } from '../support/workplace.ts'

type Call = (...args: unknown[]) => unknown

const CALLS = [
  ...['fsyncSync', 'renameSync', 'writeSync', 'writeFileSync', 'closeSync', 'chmodSync'],
  ...['openSync', 'mkdirSync', 'readdirSync', 'lstatSync', 'statSync', 'unlinkSync', 'rmdirSync'],
]
const ROOT = new URL('../../../../..', import.meta.url).pathname
/** Frames of the builder's own code, as it is written or as it is compiled. */
const OURS = new RegExp(`${ROOT}(?:dist/)?(?:builder|cache|core|disk|parser|registry-client)/`)

/** Lets the `nth` call that the builder makes fail while `work` goes on; whether there was one. */
async function failing(
  {
    call,
    nth,
    errno,
  }: { readonly call: string; readonly nth: number; readonly errno: 'EIO' | 'ENOSPC' },
  work: () => Promise<unknown>,
): Promise<boolean> {
  const calls = fs as unknown as Record<string, Call>
  const original = calls[call]
  if (original === undefined) throw new Error(`no call ${call}`)
  let count = 0
  calls[call] = function failingCall(this: unknown, ...args) {
    if (!OURS.test(new Error('where').stack ?? '') || ++count !== nth) {
      return original.apply(this, args)
    }
    const details = { code: errno, errno: -constants.errno[errno], syscall: call }
    const failure = Object.assign(new Error(`${errno}: injected, ${call}`), details)
    const done = args.at(-1)
    if (call.endsWith('Sync') || typeof done !== 'function') throw failure
    return void process.nextTick(done, failure)
  }
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    calls[call] = original
    syncBuiltinESMExports()
  }
  return count >= nth
}

describe('build: system calls that fail', () => {
  for (const call of CALLS) {
    it(`have a code: ${call}`, async () => {
      let hits = 0
      for (const nth of [1, 2, 3, 4, 6, 9, 14, 22]) {
        await using at = await Workplace.open()
        at.put({ 'd/a': 'A', 'd/b': 'B' })
        const outputs = [
          { type: 'store' },
          { type: 'oci', dest: at.path('x.tar') },
          { type: 'tar', dest: at.path('files.tar') },
        ] as const
        const build = async (): Promise<void> => {
          try {
            await at.build('FROM scratch\nCOPY d /d\nWORKDIR /w', { outputs, tags: ['x'] })
          } catch (cause) {
            assert.ok(cause instanceof TsbuildError, `${call} ${nth}: ${cause}`)
            assert.match(cause.code, /^(IO_FAILED|NO_SPACE|STORE_INVALID|CONTEXT_INVALID)$/)
          }
        }
        const errno = nth % 2 === 0 ? 'EIO' : 'ENOSPC'
        if (!(await failing({ call, nth, errno }, build))) break
        hits++
      }
      assert.ok(hits > 0)
    })
  }
})
