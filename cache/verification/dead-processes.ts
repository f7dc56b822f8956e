import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../filesystem/layout.ts'
import { Presence } from '../filesystem/presence.ts'
import type { Finding } from './finding.ts'

/** What killed processes left in a store. To be looked for before that is opened: each command removes it. */
export function checkDeadProcesses(layout: Layout): readonly Finding[] {
  const { temporary } = layout
  if (!lstatSync(temporary, { throwIfNoEntry: false })?.isDirectory()) return []
  const presence = new Presence(layout)
  const dead = [...presence.ids()].filter((id) => !presence.isAlive(id))
  // A process that came to its end meanwhile has removed its own.
  const left = dead.filter((id) => existsSync(join(temporary, id)))
  if (left.length === 0) return []
  const who = left.length === 1 ? 'a process that was' : `${left.length} processes that were`
  return [
    {
      severity: 'leftover',
      subject: 'tmp',
      problem: `has what ${who} killed left behind: it takes space until the next command`,
      remedy: 'removes it',
      repair: async () => {
        presence.establish()
        await presence.discarded()
        await presence[Symbol.asyncDispose]()
      },
    },
  ]
}
