import { randomUUID } from 'node:crypto'
import { renameSync, rmdirSync } from 'node:fs'
import { inPlaceSandbox } from '#builder/sandbox'
import { inPlaceSnapshots, type Snapshot } from '#builder/snapshot'
import type { TsbuildError } from '#core'
import type { ProcessSpec } from '../../../../../builder/sandbox/spec/process-spec.ts'
import type {
  ExitStatus,
  RunningProcess,
  Sandbox,
} from '../../../../../builder/sandbox/spec/sandbox.ts'
import type { OpenSandbox } from '../../../../suites/sandbox/fixture.ts'

/** Notices of all sandboxes. */
export const notices: TsbuildError[] = []

/** A sandbox for the suite, whose roots are overlays: each becomes the root of this process first. */
export const placingSandbox: OpenSandbox = ({ temporary }) => {
  const kept = ['/proc', '/dev', '/tmp', '/volume']
  const inner = inPlaceSandbox({ temporary, kept, onNotice: (notice) => notices.push(notice) })
  const snapshots = inPlaceSnapshots({ keep: kept, onNotice: () => undefined })
  return {
    start: (spec, options) =>
      snapshots.use(async (snapshotter) => {
        const [root, ...mounts] = spec.mounts
        if (root.type !== 'overlay' || root.writable === undefined) throw new Error('no overlay')
        const { upper } = root.writable
        const changes = `${upper}.${randomUUID()}`
        const snapshot = await snapshotter.prepare(changes, root.lower, options?.signal)
        // What the suite asks for where the network does not matter cannot be had.
        const network = spec.network === 'none' ? 'host' : spec.network
        const placed: ProcessSpec = { ...spec, network, mounts: [snapshot.root, ...mounts] }
        return await startOn(snapshot, () => inner.start(placed, options), upper)
      }),
    [Symbol.asyncDispose]: async () => {
      await inner[Symbol.asyncDispose]()
      await snapshots[Symbol.asyncDispose]()
    },
  }
}

async function startOn(
  snapshot: Snapshot,
  start: () => ReturnType<Sandbox['start']>,
  upper: string,
): Promise<RunningProcess> {
  let process: RunningProcess
  try {
    process = await start()
  } catch (cause) {
    await snapshot[Symbol.asyncDispose]()
    throw cause
  }
  const end = finish(process, snapshot, upper)
  end.catch(() => undefined)
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: (name) => process.signal(name),
    wait: () => end,
    [Symbol.asyncDispose]: async () => {
      await process[Symbol.asyncDispose]()
      await end.catch(() => undefined)
    },
  }
}

async function finish(
  process: RunningProcess,
  snapshot: Snapshot,
  upper: string,
): Promise<ExitStatus> {
  try {
    const status = await process.wait()
    rmdirSync(upper)
    renameSync(await snapshot.changes(), upper)
    return status
  } finally {
    await snapshot[Symbol.asyncDispose]()
  }
}
