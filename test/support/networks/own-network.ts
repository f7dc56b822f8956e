import { type Daemon, startDaemon } from '../peers/index.ts'

/** A network namespace that has its loopback and nothing else, until it is disposed of. */
export interface OwnNetwork extends AsyncDisposable {
  /** Of the process that holds it. */
  readonly pid: number
  /** The path of the namespace. */
  readonly path: string
  /** Words before a command that run it there. */
  readonly enter: readonly string[]
}

const HOLD = 'ip link set lo up; echo ready; exec sleep infinity'

/** Needs root. @param log a file for what goes wrong */
export async function ownNetwork(log: string): Promise<OwnNetwork> {
  const holder: Daemon = await startDaemon('unshare', ['--net', 'sh', '-ec', HOLD], {
    log,
    ready: (text) => (text.includes('ready') ? 'ready' : undefined),
  })
  const path = `/proc/${holder.pid}/ns/net`
  return {
    ...{ pid: holder.pid, path, enter: ['nsenter', `--net=${path}`] },
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  }
}
