import assert from 'node:assert/strict'
import { closeSync, constants, openSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

const PROT_WRITE = 2
const MAP_SHARED = 1
/** After so long, a file is old enough for its digest to be remembered. */
const AGE_MILLISECONDS = 2100

interface Mapping {
  readonly write: (byte: string) => void
  readonly end: () => void
}

describe('build: a file that is changed through memory', () => {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    at.put({ f: 'xxxx' })
  })
  after(() => at[Symbol.asyncDispose]())

  it('is read again, though its times stay the same', async () => {
    const path = at.path('context/f')
    const lines = [...SHELL_BASE, 'FROM base', 'COPY f /f', 'RUN cat /f']
    const mapped = mapFile(path, 4)
    try {
      let isUnseen = false
      for (let tries = 0; !isUnseen && tries < 5; tries++) {
        const [before, after] = [`${tries}`, String.fromCharCode(97 + tries)]
        mapped.write(before)
        await delay(AGE_MILLISECONDS)
        assert.equal(outputOf(await at.build(lines)), before.repeat(4))
        const seen = statSync(path, { bigint: true })
        mapped.write(after)
        // A sync of the disk in between makes the kernel update the times with the next write.
        const { mtimeNs, ctimeNs } = statSync(path, { bigint: true })
        isUnseen = mtimeNs === seen.mtimeNs && ctimeNs === seen.ctimeNs
        assert.equal(outputOf(await at.build(lines)), after.repeat(4))
      }
      assert.ok(isUnseen)
    } finally {
      mapped.end()
    }
  })

  it('is not read again once none can do that', async () => {
    const lines = [...SHELL_BASE, 'FROM base', 'COPY f /f', 'RUN cat /f']
    await at.build(lines)
    const again = await at.build(lines)
    assert.equal(again.steps.cached, again.steps.total)
  })
})

/** Maps a file as a database does; the first write sets its times, the next ones do not. */
function mapFile(path: string, length: number): Mapping {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi')
  const libc = koffi.load(null)
  const map = libc.func('void *mmap(void *at, size_t n, int prot, int flags, int fd, int64 offset)')
  const unmap = libc.func('int munmap(void *at, size_t n)')
  const fill = libc.func('void *memset(void *at, int byte, size_t n)')
  const descriptor = openSync(path, constants.O_RDWR)
  const memory = map(null, length, PROT_WRITE, MAP_SHARED, descriptor, 0)
  closeSync(descriptor)
  return {
    write: (byte) => fill(memory, byte.charCodeAt(0), length),
    end: () => unmap(memory, length),
  }
}
