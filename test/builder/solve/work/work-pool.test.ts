import assert from 'node:assert/strict'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { CopyAction } from '#builder/files'
import { workPool } from '#builder/solve'
import { breakRing, originalFailure } from '#builder/threads'
import { TsbuildError } from '#core'
import { temporaryDirectory } from '../../../support/peers/index.ts'

/** Fails at once, in the thread. */
const REFUSED = {
  trees: [{ lowers: ['/proc/self/none'], folder: '' }],
  dest: '/',
  format: 'local',
} as const

const COPY_ALL: CopyAction = {
  kind: 'copy',
  source: 0,
  paths: ['.'],
  destination: '/',
  wildcards: true,
  unpack: 'never',
  parents: false,
  exclude: [],
}

describe('the worker threads', () => {
  it('may be ended at any moment of their start', async () => {
    const started = performance.now()
    await using first = workPool(1)
    await assert.rejects(first.run('unpackTrees', REFUSED, undefined), /none/)
    const whole = performance.now() - started
    for (let part = 0; part < 1; part += 1 / 12) {
      const pool = workPool(1)
      pool.warmUp(1)
      await pause(part * whole)
      await pool[Symbol.asyncDispose]()
    }
  })

  describe('that read a file without end', () => {
    /** 256 GiB of nothing, which takes minutes to read. */
    function endless() {
      const directory = temporaryDirectory('work-pool')
      const context = directory.file('context')
      mkdirSync(context)
      writeFileSync(directory.file('context/large'), '')
      truncateSync(directory.file('context/large'), 2 ** 38)
      const task = {
        actions: [COPY_ALL],
        root: { kind: 'layers', lowers: [] },
        sources: [{ kind: 'context', directory: context, ignore: '' }],
        store: directory.path,
      } as const
      return { task, [Symbol.dispose]: () => directory[Symbol.dispose]() }
    }

    it('stop when the signal is aborted, and perform the next task', async () => {
      using file = endless()
      await using pool = workPool(1)
      const controller = new AbortController()
      const reading = pool.run('checksum', file.task, controller.signal)
      setTimeout(() => controller.abort(), 300)
      await assert.rejects(reading, { code: 'CANCELLED' })
      await assert.rejects(pool.run('unpackTrees', REFUSED, undefined), /none/)
    })

    it('stop when the pool is disposed of', async () => {
      using file = endless()
      const pool = workPool(1)
      const reading = assert.rejects(pool.run('checksum', file.task, undefined), {
        code: 'CANCELLED',
      })
      const waiting = assert.rejects(pool.run('checksum', file.task, undefined), {
        code: 'CANCELLED',
      })
      await pause(300)
      await pool[Symbol.asyncDispose]()
      await Promise.all([reading, waiting])
    })
  })

  describe('that copy together', () => {
    it('fail with what went wrong, not with the end of the other one', async () => {
      using directory = temporaryDirectory('work-pool')
      mkdirSync(directory.file('context'))
      writeFileSync(directory.file('context/large'), '')
      truncateSync(directory.file('context/large'), 2 ** 38)
      await using pool = workPool(1)
      const failures = await pool.withRing(async (ring) => {
        const end = (): void => breakRing(ring)
        const halves = await Promise.allSettled([
          pool
            .run(
              'copyFiles',
              {
                actions: [COPY_ALL],
                root: { kind: 'layers', lowers: [] },
                sources: [{ kind: 'context', directory: directory.file('context'), ignore: '' }],
                store: directory.path,
                temporary: directory.file('archives'),
                tar: directory.file('tar'),
                reader: ring,
                contents: undefined,
                state: undefined,
                directory: undefined,
                mtimeMs: 0,
                maxMtime: undefined,
              },
              undefined,
            )
            .finally(end),
          pool
            .runBeside(
              'fillDirectory',
              { tar: ring, directory: directory.file('no/parent') },
              undefined,
            )
            .finally(end),
        ])
        return halves.map((half) => (half.status === 'rejected' ? half.reason : undefined))
      })
      const codes = failures.map((failure) => failure instanceof TsbuildError && failure.code)
      assert.deepEqual(codes, ['PEER_GONE', 'IO_FAILED'])
      assert.equal(originalFailure(failures), failures[1])
    })
  })
})
