import { findHostProgram } from '#disk'
import type { HostCheck } from './host-check.ts'

/** Programs that part of what builds do needs. */
const PROGRAMS: readonly (readonly [name: string, purpose: string, hint: string])[] = [
  ['git', 'contexts and ADD of git repositories', 'install git'],
  [
    'fuse-overlayfs',
    'layers without copies where the kernel has no overlay for this user',
    'install fuse-overlayfs',
  ],
]

/** Which of the programs are installed that tsbuild starts, and what each is for. */
export function checkPrograms(): readonly HostCheck[] {
  return PROGRAMS.map(([subject, purpose, hint]) => {
    const path = findHostProgram(subject)
    if (path !== undefined) return { subject, state: 'ok', detail: path }
    return { subject, state: 'limited', detail: `not installed: ${purpose}`, hint }
  })
}

/** Programs that can run steps in the place of tsbuild itself. */
const RUNTIMES: readonly string[] = ['runc', 'crun']

/** The runtimes of the OCI that are installed; none is needed. */
export function checkRuntimes(): readonly HostCheck[] {
  const found = RUNTIMES.flatMap((name) => findHostProgram(name) ?? [])
  const detail = found.length === 0 ? 'none installed, none needed' : found.join(', ')
  return [{ subject: 'runtimes', state: 'ok', detail }]
}
