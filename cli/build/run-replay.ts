import type { BuildEvent } from '#core'
import { parseProgress } from '../arguments/build-arguments.ts'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { readInput } from '../io/dockerfile-input.ts'
import { chooseMode, createView } from '../progress/open-progress.ts'
import { type ReplayClock, replay } from '../progress/replay.ts'
import { StatusReader } from '../progress/status-reader.ts'
import { print, type Shell } from '../terminal/shell.ts'

/** Of a recorded build: about a hundred steps with all the output that is shown of one. */
const MAX_BYTES = 256 << 20

/** `tsbuild replay` */
export async function runReplay(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild replay [flags] FILE'
  const [path = ''] = expectArguments(args, { least: 1, most: 1, usage })
  // What is asked for goes to standard output, as in every command.
  const screen = { env: shell.env, stderr: shell.stdout }
  const mode = chooseMode(parseProgress(args, shell.env), screen)
  const bytes = await readInput(path, MAX_BYTES, shell)
  const events = [...recordedEvents(bytes)]
  const clock: ReplayClock = { now: events.find(({ time }) => time > 0)?.time ?? 0 }
  const view = await createView(mode, screen, () => clock.now)
  try {
    replay(events, view, clock)
  } finally {
    view.close()
  }
  if (args.has('timing')) await print(shell, await timingOf(events))
  return 0
}

async function timingOf(events: readonly BuildEvent[]): Promise<string> {
  const [{ TimingRecorder }, { timingTable }] = await Promise.all([
    import('../timing/build-timing.ts'),
    import('../timing/timing-table.ts'),
  ])
  const recorder = new TimingRecorder()
  for (const event of events) recorder.handle(event)
  return timingTable(recorder.timing(), undefined)
}

/** @throws {TsbuildError} IO_FAILED */
function* recordedEvents(bytes: Buffer): Generator<BuildEvent> {
  const reader = new StatusReader()
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start)
    const line = bytes.subarray(start, end < 0 ? undefined : end)
    // Error messages are printed between the objects.
    if (line[0] === 0x7b) yield* reader.read(line)
    start = end < 0 ? bytes.length : end + 1
  }
}
