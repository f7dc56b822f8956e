import { EngineError, pathOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { type Arguments, expectArguments, type Flag } from '../../arguments/flags.ts'
import { print, type Shell } from '../../terminal/shell.ts'
import type { Engine } from '../connect/engine.ts'
import { forEachName, withEngine } from '../connect/with-engine.ts'
import { integerOf } from '../create/values.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { ignoringUnchanged } from '../run/attach.ts'
import { beginWait } from '../run/status.ts'

/** What is done to each container that is named; its name is printed then, or what is returned, unless that is empty. */
interface Action {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly flags?: readonly Flag[]
  readonly examples?: EngineCommand['examples']
  readonly act: (
    name: string,
    client: Engine['client'],
    args: Arguments,
  ) => Promise<string | undefined>
}

function commandOf({
  name,
  aliases = [],
  summary,
  flags = [],
  examples = [],
  act,
}: Action): EngineCommand {
  const usage = `tsbuild ${name} [flags] CONTAINER…`
  const run = async (args: Arguments, shell: Shell): Promise<number> => {
    const names = expectArguments(args, { least: 1, most: 10_000, usage })
    return await withEngine(args, shell, async ({ client }) => {
      return await forEachName(names, shell, async (container) => {
        const text = await act(container, client, args)
        if (text !== '') await print(shell, `${text ?? container}\n`)
      })
    })
  }
  return { name, aliases, summary, usage, flags: [...flags, ...ENGINE_FLAGS], examples, run }
}

const ENDING = flagsOf('How', {
  's, signal SIGNAL': "What ends it (default: the container's STOPSIGNAL)",
  't, timeout SECONDS': 'When it is killed after that (default: 10; -1: never)',
})
const HIDDEN_TIME = flagsOf('How', { 'time SECONDS': 'The same as --timeout' }, { isHidden: true })

function endingQuery(args: Arguments): {
  readonly signal: string | undefined
  readonly t: number | undefined
} {
  return { signal: args.text('signal'), t: integerOf(args, 'timeout') ?? integerOf(args, 'time') }
}

/** `tsbuild stop` */
export const STOP: EngineCommand = commandOf({
  name: 'stop',
  summary: 'End containers: by their signal, and by force when they go on',
  flags: [...ENDING, ...HIDDEN_TIME],
  act: async (name, client, args) => {
    const path = pathOf`/containers/${name}/stop`
    await ignoringUnchanged(client.json({ method: 'POST', path, query: endingQuery(args) }))
    return undefined
  },
})

/** `tsbuild restart` */
export const RESTART: EngineCommand = commandOf({
  name: 'restart',
  summary: 'End containers and start them again',
  flags: [...ENDING, ...HIDDEN_TIME],
  act: async (name, client, args) => {
    const path = pathOf`/containers/${name}/restart`
    await client.json({ method: 'POST', path, query: endingQuery(args) })
    return undefined
  },
})

/** `tsbuild kill` */
export const KILL: EngineCommand = commandOf({
  name: 'kill',
  summary: 'Send a signal to containers',
  flags: flagsOf('How', { 's, signal SIGNAL': 'Which one (default: KILL)' }),
  examples: [['tsbuild kill -s HUP web', 'let it read its settings again']],
  act: async (name, client, args) => {
    const path = pathOf`/containers/${name}/kill`
    await client.json({ method: 'POST', path, query: { signal: args.text('signal') } })
    return undefined
  },
})

/** `tsbuild pause` */
export const PAUSE: EngineCommand = commandOf({
  name: 'pause',
  summary: 'Let the processes of containers stand still',
  act: async (name, client) => {
    await client.json({ method: 'POST', path: pathOf`/containers/${name}/pause` })
    return undefined
  },
})

/** `tsbuild unpause` */
export const UNPAUSE: EngineCommand = commandOf({
  name: 'unpause',
  summary: 'Let them go on',
  act: async (name, client) => {
    await client.json({ method: 'POST', path: pathOf`/containers/${name}/unpause` })
    return undefined
  },
})

/** `tsbuild wait` */
export const WAIT: EngineCommand = commandOf({
  name: 'wait',
  summary: 'Wait until containers have ended, and print their exit codes',
  act: async (name, client) => {
    const status = await beginWait(client, name, 'not-running')
    return String(await status())
  },
})

/** `tsbuild rm` */
export const RM: EngineCommand = commandOf({
  name: 'rm',
  aliases: ['remove'],
  summary: 'Remove containers',
  flags: flagsOf('How', {
    'f, force': 'Kill those that run; those that are not there are none of an error',
    'v, volumes': 'Their anonymous volumes, too',
    'l, link': 'The link of that name, not the container',
  }),
  examples: [['tsbuild rm -f web', 'one that runs, too']],
  act: async (name, client, args) => {
    const flag = (flagName: string): true | undefined => args.has(flagName) || undefined
    const query = { force: flag('force'), v: flag('volumes'), link: flag('link') }
    const path = pathOf`/containers/${name}`
    const removal = client.json({ method: 'DELETE', path, query })
    if (!args.has('force')) await removal
    else if (!(await isThere(removal))) return ''
    return undefined
  },
})

/** Whether there was something to remove: `rm -f` does not mind. */
async function isThere(removal: Promise<unknown>): Promise<boolean> {
  try {
    await removal
    return true
  } catch (cause) {
    if (cause instanceof EngineError && cause.status === 404) return false
    throw cause
  }
}
