import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { changesOf, stackTree, writeLayer } from '#builder/layer'
import { inPlaceSnapshots, type Snapshot } from '#builder/snapshot'
import { inPlaceThread } from '#builder/solve'
import type { TsbuildError } from '#core'
import { inPlaceSandbox } from '../../../../../builder/sandbox/in-place/in-place-sandbox.ts'
import { noContainer } from '../../../../../builder/sandbox/spec/no-container.ts'
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
  mkdirSync('/tmp/needed', { recursive: true })
  const kept = ['/tmp/needed', '/proc', '/dev', '/tmp', '/volume', '/store', '/run/deep/kept']
  const watched = { contexts: [], tops: [], store: temporary }
  const thread = inPlaceThread({ temporary, kept, watched })
  const inner = inPlaceSandbox({ kept, thread, onNotice: (notice) => notices.push(notice) })
  const snapshots = inPlaceSnapshots({ thread, onNotice: () => undefined })
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
        return await startOn(snapshot, () => inner.start(placed, options), {
          ...{ upper, lower: root.lower },
        })
      }),
    openRoot: (mounts) => inner.openRoot(mounts),
    [Symbol.asyncDispose]: async () => {
      await inner[Symbol.asyncDispose]()
      await snapshots[Symbol.asyncDispose]()
      await thread.close()
    },
  }
}

interface Layers {
  readonly upper: string
  readonly lower: readonly string[]
}

async function startOn(
  snapshot: Snapshot,
  start: () => ReturnType<Sandbox['start']>,
  layers: Layers,
): Promise<RunningProcess> {
  let process: RunningProcess
  try {
    process = await start()
  } catch (cause) {
    await snapshot[Symbol.asyncDispose]()
    throw cause
  }
  const end = finish(process, snapshot, layers)
  end.catch(() => undefined)
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: (name) => process.signal(name),
    resize: (size) => process.resize(size),
    pid: process.pid,
    exec: (spec, options) => process.exec(spec, options),
    ...noContainer('steps in place are not containers'),
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
  { upper, lower }: Layers,
): Promise<ExitStatus> {
  try {
    const status = await process.wait()
    rmSync(upper, { recursive: true })
    const below = stackTree(lower)
    try {
      // As it is packed: without directories that were only touched.
      const changed = await snapshot.changes()
      writeLayer(changesOf(changed, { lower: below }), { directory: upper })
      const { atimeMs, mtimeMs } = statSync(changed)
      utimesSync(upper, atimeMs / 1000, mtimeMs / 1000)
    } finally {
      below.close()
    }
    return status
  } finally {
    await snapshot[Symbol.asyncDispose]()
  }
}
