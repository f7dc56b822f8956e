/** `pin-on-full-disk.js FOLDER`: pins where nothing can be written, and tells whether a sweep could begin. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#core'
import { tryLock } from '../../../cache/filesystem/file-lock.ts'
import { layoutOf } from '../../../cache/filesystem/layout.ts'
import { Pins } from '../../../cache/filesystem/pins.ts'
import { Presence } from '../../../cache/filesystem/presence.ts'

const [, , folder = ''] = process.argv
const layout = layoutOf(join(folder, 'store'))
mkdirSync(layout.temporary, { recursive: true })
writeFileSync(layout.sweepLock, '', { mode: 0o600 })
for (let at = 0; fills(join(folder, `fill${at}`)); at += 1);

const presence = new Presence(layout)
const pins = new Pins(layout, presence)
for (const name of ['one', 'two']) pins.hold(name)
const during = canSweep()
pins[Symbol.dispose]()
await presence[Symbol.asyncDispose]()
process.stdout.write(`${during} ${canSweep()}`)

function canSweep(): boolean {
  using lock = tryLock(layout.sweepLock)
  return lock !== undefined
}

function fills(path: string): boolean {
  try {
    writeFileSync(path, Buffer.alloc(64 * 1024))
    return true
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOSPC') throw cause
    return false
  }
}
