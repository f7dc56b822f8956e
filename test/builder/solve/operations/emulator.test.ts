import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { hostPlatform, type Platform } from '#core'
import { checkEmulator } from '../../../../builder/solve/operations/emulator.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

const AMD64: Platform = { os: 'linux', architecture: 'amd64' }
const ARM64: Platform = { os: 'linux', architecture: 'arm64' }

const NEHALEM = 'cx16 lahf_lm pni popcnt sse4_1 sse4_2 ssse3'
const HASWELL = 'abm avx avx2 bmi1 bmi2 f16c fma movbe xsave'
const SKYLAKE = 'avx512f avx512bw avx512cd avx512dq avx512vl'

/** As the kernel shows a handler. */
const handler = (state: string, flags: string): string =>
  `${state}\ninterpreter /usr/bin/qemu-aarch64-static\nflags: ${flags}\noffset 0\nmagic 7f454c46\n`

describe('an emulator', () => {
  let folder: TemporaryDirectory
  beforeEach(() => {
    folder = temporaryDirectory('emulator')
  })
  afterEach(() => folder[Symbol.dispose]())

  const check = (platform: Platform, host: Platform = AMD64) =>
    checkEmulator(platform, {
      platform: host,
      scratch: folder.file('probe'),
      emulators: folder.path,
      cpuInfo: folder.file('cpuinfo'),
    })
  const refuses = (hint: RegExp) =>
    assert.throws(() => check(ARM64), { code: 'PLATFORM_MISMATCH', hint })

  it('is not needed for what the machine runs by itself', () => {
    check(AMD64)
    check({ os: 'linux', architecture: '386' })
  })

  it('does not help for another system', () => {
    assert.throws(() => check({ os: 'windows', architecture: 'amd64' }), {
      code: 'PLATFORM_MISMATCH',
      message: 'cannot run windows/amd64 programs on linux/amd64',
    })
  })

  const levels: readonly (readonly [what: string, flags: string, highest: number])[] = [
    ['the first x86-64', '', 1],
    ['Nehalem', NEHALEM, 2],
    ['Haswell', `${NEHALEM} ${HASWELL}`, 3],
    ['Haswell in a machine that hides BMI1', `${NEHALEM} ${HASWELL.replace('bmi1', '')}`, 2],
    ['Skylake server', `${NEHALEM} ${HASWELL} ${SKYLAKE}`, 4],
    ['one with AVX-512 and without AVX2', `${NEHALEM} ${SKYLAKE}`, 2],
  ]
  for (const [what, flags, highest] of levels) {
    it(`is not needed for amd64/v1 to v${highest} on ${what}, and does not help beyond`, () => {
      const processor = (more: string) => `processor\t: 0\nflags\t\t: fpu ${more}\nbugs\t\t:\n\n`
      // The second processor is the lesser one: a step may run on either.
      writeFileSync(folder.file('cpuinfo'), processor(`${flags} ${SKYLAKE}`) + processor(flags))
      for (const level of [1, 2, 3, 4]) {
        const platform = { ...AMD64, variant: `v${level}` }
        if (level <= highest) check(platform)
        else {
          assert.throws(() => check(platform), {
            message: `cannot run linux/amd64/v${level} programs on linux/amd64`,
            hint: /^this processor lacks [\w, ]+: run the step on --platform=/,
          })
        }
      }
    })
  }

  it('serves 32-bit programs that the kernel does not run', () => {
    // Neither machine runs the other's: what is run here fails as it does on a kernel without them.
    const isAmd64 = hostPlatform().architecture === 'amd64'
    const [host, small] = isAmd64 ? [ARM64, 'arm'] : [AMD64, '386']
    const platform = { os: 'linux', architecture: small }
    const name = isAmd64 ? 'arm' : 'i386'
    assert.throws(() => check(platform, host), { code: 'PLATFORM_MISMATCH' })
    writeFileSync(folder.file(`qemu-${name}`), handler('enabled', 'F'))
    check(platform, host)
  })

  it('serves when it is registered, enabled and opened by the kernel', () => {
    refuses(/install qemu-user-static/)
    writeFileSync(folder.file('qemu-aarch64'), handler('enabled', 'POCF'))
    check(ARM64)
    assert.throws(() => check({ os: 'linux', architecture: 's390x' }), {
      message: 'cannot run linux/s390x programs on linux/amd64',
    })
  })

  it('that is switched off, or only known by its path, is reported', () => {
    writeFileSync(folder.file('qemu-aarch64'), handler('disabled', 'F'))
    refuses(/switch it on: echo 1 >/)
    writeFileSync(folder.file('qemu-aarch64'), handler('enabled', 'PO'))
    refuses(/with the flag F/)
  })
})
