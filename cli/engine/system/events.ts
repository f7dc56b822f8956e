import type { Json } from '#core'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { print } from '../../terminal/shell.ts'
import { cleanLine } from '../../terminal/text.ts'
import { filtersOf } from '../connect/filters.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { objectOf } from '../format/json.ts'
import { timeOf } from '../format/times.ts'
import { FILTERS } from '../lists/flags.ts'
import { parseTemplate } from '../template/go-template.ts'

/** `tsbuild events` */
export const EVENTS: EngineCommand = {
  name: 'events',
  summary: 'Print what happens to containers, images, networks and volumes',
  usage: 'tsbuild events [flags]',
  flags: [
    ...FILTERS,
    ...flagsOf('Which ones', {
      'since TIME': 'Those that happened since then, too: 10m, or a time',
      'until TIME': 'End then',
    }),
    ...flagsOf('Screen', { 'format FORMAT': 'The form: json, or a template such as {{.Action}}' }),
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild events --since 1h --until 0s --filter type=container', 'the last hour']],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild events [flags]' })
    const format = args.text('format') ?? ''
    const template = format === '' || format === 'json' ? undefined : parseTemplate(format)
    const query = {
      since: timeOf(args.text('since')),
      until: timeOf(args.text('until')),
      filters: filtersOf(args),
    }
    return await withEngine(args, shell, async ({ client }) => {
      for await (const text of client.texts({ path: '/events', query })) {
        const event = JSON.parse(text) as Json
        const line = format === 'json' ? text : (template?.(event) ?? eventText(event, text))
        await print(shell, `${line}\n`)
      }
      return 0
    })
  },
}

/** `2026-01-31T12:00:00.000000000Z container start ID (image=busybox, name=web)` */
function eventText(event: Json, text: string): string {
  const { Type, Action, Actor, time } = objectOf(event)
  const { ID, Attributes } = objectOf(Actor)
  const attributes = Object.entries(objectOf(Attributes))
    .map(([name, value]) => `${name}=${value}`)
    .sort()
  // A number of so many digits is not what is parsed of it.
  const nanoseconds = /"timeNano":(\d+)/.exec(text)?.[1] ?? `${time}000000000`
  const list = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`
  return cleanLine(`${timeText(nanoseconds)} ${Type} ${Action} ${ID}${list}`)
}

function timeText(nanoseconds: string): string {
  const seconds = Number(nanoseconds.slice(0, -9))
  const date = new Date(seconds * 1000)
  const offset = -date.getTimezoneOffset()
  const local = new Date((seconds + offset * 60) * 1000).toISOString().slice(0, 19)
  const two = (value: number): string => String(value).padStart(2, '0')
  const sign = offset < 0 ? '-' : '+'
  const hours = two(Math.floor(Math.abs(offset) / 60))
  const zone = offset === 0 ? 'Z' : `${sign}${hours}:${two(Math.abs(offset) % 60)}`
  return `${local}.${nanoseconds.slice(-9)}${zone}`
}
