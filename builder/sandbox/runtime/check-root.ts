import { closeSync } from 'node:fs'
import { TsbuildError } from '#core'
import type { AssembledRoot } from '../root/assemble.ts'
import { findEntryIfThere } from '../root/root-entry.ts'
import { imageFileReader } from '../root/step-user.ts'

/** The number of the device /dev/null. */
const NULL = 0x103

/**
 * Checks what runtimes open in a root for every step, by path: a FIFO in the place of one of these files would
 * make them wait.
 * @throws {TsbuildError} STEP_FAILED
 */
export function checkRoot({ root }: Pick<AssembledRoot, 'root'>): void {
  const read = imageFileReader(root)
  for (const path of ['/etc/passwd', '/etc/group']) read(path)
  const entry = findEntryIfThere(root, '/dev/null')
  if (entry !== undefined) closeSync(entry.descriptor)
  if (entry?.stat.isCharacterDevice() === true && entry.stat.rdev === NULL) return
  throw new TsbuildError('start the step by a runtime: a mount of the step hides /dev/null', {
    code: 'STEP_FAILED',
    hint: 'mount nothing on /dev, or build without --runtime',
  })
}
