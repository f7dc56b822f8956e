import type { Json } from '#core'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { note, print } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { binarySize } from '../format/human.ts'
import { type Fields, objectOf } from '../format/json.ts'
import { parseTemplate } from '../template/go-template.ts'

/** `tsbuild info` */
export const INFO: EngineCommand = {
  name: 'info',
  summary: 'Show what a daemon says of itself',
  usage: 'tsbuild info [flags]',
  flags: [
    ...flagsOf('Screen', {
      'f, format FORMAT': 'The form: json, or a template such as {{.Driver}}',
    }),
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild info [flags]' })
    const format = args.text('format') ?? ''
    const template = format === '' || format === 'json' ? undefined : parseTemplate(format)
    return await withEngine(args, shell, async ({ client }) => {
      const info = await client.json({ path: '/info' })
      const text = format === 'json' ? JSON.stringify(info) : template?.(info)
      await print(shell, text === undefined ? cleanText(infoText(objectOf(info))) : `${text}\n`)
      const { Warnings } = objectOf(info)
      if (text === undefined) {
        for (const warning of Array.isArray(Warnings) ? Warnings : [])
          note(shell, cleanText(String(warning)))
      }
      return 0
    })
  },
}

/** Lines of the server's part, in docker's order: of fields that are there. */
const LINES: readonly (readonly [title: string, field: string])[] = [
  ['Containers', 'Containers'],
  [' Running', 'ContainersRunning'],
  [' Paused', 'ContainersPaused'],
  [' Stopped', 'ContainersStopped'],
  ['Images', 'Images'],
  ['Server Version', 'ServerVersion'],
  ['Storage Driver', 'Driver'],
  ['Logging Driver', 'LoggingDriver'],
  ['Cgroup Driver', 'CgroupDriver'],
  ['Cgroup Version', 'CgroupVersion'],
  ['Kernel Version', 'KernelVersion'],
  ['Operating System', 'OperatingSystem'],
  ['OSType', 'OSType'],
  ['Architecture', 'Architecture'],
  ['CPUs', 'NCPU'],
  ['Total Memory', 'MemTotal'],
  ['Name', 'Name'],
  ['ID', 'ID'],
  ['Docker Root Dir', 'DockerRootDir'],
  ['Debug Mode', 'Debug'],
  ['Experimental', 'ExperimentalBuild'],
]

function infoText(info: Fields): string {
  const lines = LINES.flatMap(([title, field]) => {
    const value = info[field]
    if (value === undefined) return []
    const more = field === 'Driver' ? pairsOf(info.DriverStatus) : []
    const text = field === 'MemTotal' ? binarySize(Number(value)) : String(value)
    return [`${title}: ${text}`, ...more]
  })
  const security = Array.isArray(info.SecurityOptions) ? info.SecurityOptions : []
  const options = security.map((option) => `  ${String(option).replace(/^name=/, '')}`)
  const all = [...lines, ...(options.length === 0 ? [] : [' Security Options:', ...options])]
  return `Server:\n${all.map((line) => ` ${line}\n`).join('')}`
}

/** What a storage driver says: pairs of names and values. */
function pairsOf(status: Json | undefined): readonly string[] {
  return (Array.isArray(status) ? status : []).map((pair) => {
    const [name, value] = Array.isArray(pair) ? pair : []
    return `  ${name}: ${value}`
  })
}
