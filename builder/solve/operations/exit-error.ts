import { statfsSync } from 'node:fs'
import type { ExitStatus } from '#builder/sandbox'
import { STEP_PROCESSES, type StepResources, type StepUsage, TsbuildError } from '#core'

/** How a step's process has failed. */
export interface FailedProcess {
  readonly exitCode: number
  readonly reached: ExitStatus['reached'] | undefined
  readonly args: readonly string[]
  readonly resources: StepResources
  readonly used: StepUsage
  /** Bytes of the space that it may write to, when that was used up. */
  readonly exhausted: number | undefined
  /** What the step writes to, when a program said that there is no space left. */
  readonly fullPlace?: string | undefined
}

/** A file system with less than this free is full: what the step was run with is gone already. */
const LEAST_FREE_BYTES = 1 << 20
const LEAST_FREE_FILES = 64

/** The failure of a step whose process did not exit with 0: STEP_FAILED or SNAPSHOT_FULL. */
export function exitError({
  args,
  exitCode,
  reached,
  resources,
  used,
  exhausted,
  fullPlace,
}: FailedProcess): TsbuildError {
  const message = `process ${JSON.stringify(args.join(' '))} did not complete successfully: exit code: ${exitCode}${outOfMemory(reached, used)}`
  if (exhausted !== undefined) return fullError(message, exhausted)
  return new TsbuildError(message, {
    code: 'STEP_FAILED',
    hint: hintFor(exitCode, reached, resources) ?? (fullPlace && spaceHint(fullPlace)),
  })
}

/** The peak shows that it is the limit that was too low. */
function outOfMemory(reached: FailedProcess['reached'], used: StepUsage): string {
  if (reached !== 'memory') return ''
  const { memory = used.largestProcess } = used
  return `, out of memory with ${Math.ceil(memory / 1024 ** 2)} MiB in use`
}

function fullError(message: string, size: number): TsbuildError {
  const mebibytes = Math.floor(size / 1024 ** 2)
  return new TsbuildError(
    `${message}, with the ${mebibytes} MiB used up that it may write to memory`,
    {
      code: 'SNAPSHOT_FULL',
      hint: 'give it more with --snapshotter overlay-tmpfs,size=SIZE, or put the store on a volume with --root',
    },
  )
}

function hintFor(
  exitCode: number,
  reached: FailedProcess['reached'],
  { pids }: StepResources,
): string | undefined {
  if (reached === 'memory') return 'it needed more memory than it may have: raise --memory'
  if (reached === 'pids') {
    return `it started more processes than it may (${pids ?? STEP_PROCESSES}): raise --pids-limit, or take it away with -1`
  }
  switch (exitCode) {
    case 126:
      return 'the program was found but cannot be executed: check its mode and its platform'
    case 127:
      return 'a program was not found: is it installed in this stage, and is PATH right?'
    case 137:
      return 'the process was killed, most often because memory ran out'
    default:
      return undefined
  }
}

/** Which space was used up, as far as that can be seen: what the step wrote is there still. */
function spaceHint(path: string): string | undefined {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(path)
    if (bavail * bsize < LEAST_FREE_BYTES || (files > 0 && ffree < LEAST_FREE_FILES)) {
      return `the step writes to the file system of ${path}, which is full: free some space (tsbuild prune), or put the store elsewhere with --root`
    }
    return `there is space on the file system of ${path}: what is used up is a quota, or a space in memory such as /dev/shm (--shm-size) or a mount of type tmpfs (size=)`
  } catch {
    // Only a hint depends on it.
    return undefined
  }
}
