/**
 * Builds with a store on an overlay, as the file system of a container is one: a process in a mount
 * namespace of its own, which is started with a folder and a list of build options.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from '#builder'
import { makeMountsPrivate, mountOverlay } from '#builder/linux'
import type { BuildEvent } from '#core'

/** What came of a build. */
export interface OverlayBuild {
  readonly digest: string | undefined
  readonly events: readonly BuildEvent[]
}

const [home = '', options = ''] = process.argv.slice(2)
makeMountsPrivate()
for (const name of ['lower', 'upper', 'work', 'union']) mkdirSync(join(home, name))
const writable = { upper: join(home, 'upper'), work: join(home, 'work') }
mountOverlay({ lower: [join(home, 'lower')], writable }, join(home, 'union'))
process.chdir('/')
const built: OverlayBuild[] = []
for (const one of JSON.parse(options) as readonly BuildOptions[]) {
  const events: BuildEvent[] = []
  const { digest } = await build({
    ...one,
    root: join(home, 'union/store'),
    onEvent: (event) => {
      if (event.type === 'choice' || event.type === 'warning') events.push(event)
    },
  })
  built.push({ digest, events })
}
process.stdout.write(JSON.stringify(built))
