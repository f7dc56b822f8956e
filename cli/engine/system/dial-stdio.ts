import { once } from 'node:events'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { openEngine } from '../connect/engine.ts'
import type { EngineCommand } from '../definition/command.ts'

/** `tsbuild system dial-stdio` */
export const DIAL_STDIO: EngineCommand = {
  name: 'dial-stdio',
  summary: 'Join standard input and output with a daemon, for clients that come over ssh',
  usage: 'tsbuild system dial-stdio [flags]',
  flags: ENGINE_FLAGS,
  examples: [['DOCKER_HOST=ssh://build.example docker ps', 'runs it on the other machine']],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild system dial-stdio' })
    using engine = await openEngine(args, shell)
    const stream = await engine.client.connect()
    shell.stdin.pipe(stream)
    stream.pipe(shell.stdout, { end: false })
    // The daemon has the last word: what it still sends after the end of the input is passed on.
    await once(stream, 'end')
    return 0
  },
}
