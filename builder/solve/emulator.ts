import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, formatPlatform, type Platform, platformDistance, TsbuildError } from '#core'

const BINFMT_MISC = '/proc/sys/fs/binfmt_misc'

/** How QEMU calls what others call differently. */
const EMULATED: Readonly<Record<string, string>> = {
  '386': 'i386',
  amd64: 'x86_64',
  arm64: 'aarch64',
  loong64: 'loongarch64',
  mips64le: 'mips64el',
  mipsle: 'mipsel',
}

/**
 * Programs for another architecture run only where the kernel hands them to an emulator that it has
 * opened itself, since the emulator is not in the image.
 * Spec: Linux, Documentation/admin-guide/binfmt-misc.rst
 * @throws {TsbuildError} PLATFORM_MISMATCH
 */
export function checkEmulator(
  platform: Platform,
  host: Platform,
  folder: string = BINFMT_MISC,
): void {
  if (platformDistance(host, platform) !== undefined) return
  if (host.architecture === 'amd64' && platform.architecture === '386') return
  const name = `qemu-${EMULATED[platform.architecture] ?? platform.architecture}`
  const hint = hintFor(name, readHandler(join(folder, name)))
  if (hint === undefined) return
  throw new TsbuildError(
    `cannot run ${formatPlatform(platform)} programs on ${formatPlatform(host)}`,
    { code: 'PLATFORM_MISMATCH', hint },
  )
}

function hintFor(name: string, handler: string | undefined): string | undefined {
  if (handler === undefined) {
    return 'install qemu-user-static and binfmt-support, or run the step on --platform=$BUILDPLATFORM'
  }
  if (!/^enabled$/m.test(handler)) return `switch it on: echo 1 > ${BINFMT_MISC}/${name}`
  if (/^flags:.*F/m.test(handler)) return undefined
  return `register ${name} with the flag F, as Debian's qemu-user-static does: no image has the emulator in it`
}

function readHandler(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
