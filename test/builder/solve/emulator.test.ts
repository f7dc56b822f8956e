import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { checkEmulator } from '#builder/solve'
import type { Platform } from '#core'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

const AMD64: Platform = { os: 'linux', architecture: 'amd64' }
const ARM64: Platform = { os: 'linux', architecture: 'arm64' }

/** As the kernel shows a handler. */
const handler = (state: string, flags: string): string =>
  `${state}\ninterpreter /usr/bin/qemu-aarch64-static\nflags: ${flags}\noffset 0\nmagic 7f454c46\n`

describe('an emulator', () => {
  let folder: TemporaryDirectory
  beforeEach(() => {
    folder = temporaryDirectory('emulator')
  })
  afterEach(() => folder[Symbol.dispose]())

  const check = (platform: Platform) => checkEmulator(platform, AMD64, folder.path)
  const refuses = (hint: RegExp) =>
    assert.throws(() => check(ARM64), { code: 'PLATFORM_MISMATCH', hint })

  it('is not needed for what the machine runs by itself', () => {
    check(AMD64)
    check({ os: 'linux', architecture: '386' })
  })

  it('serves when it is registered, enabled and opened by the kernel', () => {
    refuses(/install qemu-user-static/)
    writeFileSync(folder.file('qemu-aarch64'), handler('enabled', 'POCF'))
    check(ARM64)
    assert.throws(() => check({ os: 'linux', architecture: 's390x' }), {
      message: 'cannot run linux/s390x programs on linux/amd64',
    })
  })

  it('that is switched off, or only known by its path, is told of', () => {
    writeFileSync(folder.file('qemu-aarch64'), handler('disabled', 'F'))
    refuses(/switch it on: echo 1 >/)
    writeFileSync(folder.file('qemu-aarch64'), handler('enabled', 'PO'))
    refuses(/with the flag F/)
  })
})
