import { once } from 'node:events'
import { connect } from 'node:net'
import { type Daemon, startDaemon } from '../../support/peers/index.ts'
import { testedHere } from './installed.ts'

/** Where a daemon is. */
export interface ServePlace {
  readonly root: string
  readonly socket: string
  /** A file for what it says. */
  readonly log: string
  /** Words before the command, which run it elsewhere. */
  readonly prefix: readonly string[]
  /** Words that start tsbuild; default: what is tested here. */
  readonly command?: readonly string[]
  readonly flags?: readonly string[]
}

/** `tsbuild serve`. @returns when its socket accepts */
export async function startServe(place: ServePlace): Promise<Daemon> {
  const { root, socket, log, prefix, command = testedHere().command, flags = [] } = place
  const [program = '', ...words] = [...prefix, ...command, 'serve', '--root', root]
  return await startDaemon(program, [...words, '--host', `unix://${socket}`, ...flags], {
    ...{ log, env: { HOME: `${root}.home` } },
    ready: async () => ((await accepts(socket)) ? socket : undefined),
  })
}

async function accepts(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
