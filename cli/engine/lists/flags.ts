import type { Flag } from '../../arguments/flags.ts'
import { flagsOf } from '../definition/command.ts'

/** For commands that list or show something. */
export const FORMAT: readonly Flag[] = flagsOf('Screen', {
  'format FORMAT':
    'The form: table, json, or a template such as {{.ID}}; table TEMPLATE: with headings',
})

/** For commands that print ids otherwise. */
export const QUIET_IDS: readonly Flag[] = flagsOf('Screen', {
  'q, quiet': 'Print ids only',
  'no-trunc': 'Print all of ids and commands',
})

/** For commands that choose. */
export const FILTERS: readonly Flag[] = flagsOf(
  'Which ones',
  { 'f, filter NAME=VALUE': 'Only what fits; several of the same name: one of them' },
  { repeat: true },
)
