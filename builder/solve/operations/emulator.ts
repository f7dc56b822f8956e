import {
  EMULATORS,
  type Emulator,
  readEmulator,
  runsSmallPrograms,
  type SmallArchitecture,
} from '#builder/linux'
import { formatPlatform, type Platform, TsbuildError } from '#core'
import { missingFlags } from './processor.ts'

/** QEMU's names of architectures where they differ. */
const EMULATED: Readonly<Record<string, string>> = {
  '386': 'i386',
  amd64: 'x86_64',
  arm64: 'aarch64',
  loong64: 'loongarch64',
  mips64le: 'mips64el',
  mipsle: 'mipsel',
}

/** The 32-bit programs that a 64-bit processor runs, if the kernel does. */
const SMALL: Readonly<Record<string, SmallArchitecture>> = { amd64: '386', arm64: 'arm' }

/** What decides which programs a machine runs. */
export interface Machine {
  readonly platform: Platform
  /** An unused file name, for a program that is tried. */
  readonly scratch: string
  /** The kernel's list of emulators. */
  readonly emulators?: string
  readonly cpuInfo?: string
}

/**
 * Programs for another architecture run only where the kernel runs them itself, or hands them to an
 * emulator that it has opened itself, since the emulator is not in the image.
 * @throws {TsbuildError} PLATFORM_MISMATCH
 */
export function checkEmulator(platform: Platform, machine: Machine): void {
  const { os, architecture, variant } = platform
  const host = machine.platform
  if (os !== host.os) {
    const hint = `a stage for ${os} cannot have RUN: COPY, ADD and WORKDIR make its files`
    throw cannotRunError(platform, host, hint)
  }
  if (architecture === host.architecture) {
    const missing = architecture === 'amd64' ? missingFlags(variant, machine.cpuInfo) : []
    if (missing.length === 0) return
    const lacking = `this processor lacks ${missing.join(', ')}`
    throw cannotRunError(platform, host, `${lacking}: run the step on --platform=$BUILDPLATFORM`)
  }
  const small = SMALL[host.architecture]
  if (small === architecture && runsSmallPrograms(small, machine.scratch)) return
  const name = `qemu-${EMULATED[architecture] ?? architecture}`
  const hint = hintFor(name, readEmulator(name, machine.emulators))
  if (hint !== undefined) throw cannotRunError(platform, host, hint)
}

function cannotRunError(platform: Platform, host: Platform, hint: string): TsbuildError {
  return new TsbuildError(
    `cannot run ${formatPlatform(platform)} programs on ${formatPlatform(host)}`,
    { code: 'PLATFORM_MISMATCH', hint },
  )
}

function hintFor(name: string, emulator: Emulator | undefined): string | undefined {
  if (emulator === undefined) {
    return 'install qemu-user-static and binfmt-support, or run the step on --platform=$BUILDPLATFORM'
  }
  if (!emulator.isOn) return `switch it on: echo 1 > ${EMULATORS}/${name}`
  if (emulator.isOpen) return undefined
  return `register ${name} with the flag F, as Debian's qemu-user-static does: no image has the emulator in it`
}
