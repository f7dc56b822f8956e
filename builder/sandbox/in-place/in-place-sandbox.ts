import { existsSync, statfsSync } from 'node:fs'
import { processStatus } from '#builder/namespaces'
import type { TaskThread } from '#builder/threads'
import { keepPrograms, TsbuildError } from '#core'
import { notice, noticesOf } from '../host/notices.ts'
import type { OpenedRoot } from '../spec/opened-root.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type { RunningProcess, Sandbox, StartOptions } from '../spec/sandbox.ts'
import { removeHostLines } from './host-lines.ts'
import { InPlaceStep } from './in-place-step.ts'
import type * as inPlaceTasks from './in-place-tasks.ts'
import { removeAbandonedFiles } from './mounts/memory-files.ts'
import { isBelow } from './mounts/place.ts'
import { protectBuilder } from './protect-builder.ts'

/** How the sandbox is opened. */
export interface InPlaceOptions {
  /** Absolute paths that steps must leave to the builder. */
  readonly kept: readonly string[]
  /** It runs the steps; the caller closes it afterwards. */
  readonly thread: TaskThread<typeof inPlaceTasks>
  /** Called once for each thing in which steps are limited or isolated less than they should be. */
  readonly onNotice?: (notice: TsbuildError) => void
}

/**
 * A sandbox for containers that let nothing make namespaces or mounts: a step's process runs in the root
 * of this very process, which shows the step's files already (`bind`, `/` on `/`), as a child of it. What
 * keeps it apart from anything else is the container. One step runs at a time.
 */
export function inPlaceSandbox(options: InPlaceOptions): Sandbox {
  return new InPlaceSandbox(options)
}

class InPlaceSandbox implements Sandbox {
  readonly #notify: (notice: TsbuildError) => void
  readonly #said = new Set<string>()
  readonly #running = new Set<InPlaceStep>()
  readonly #thread: TaskThread<typeof inPlaceTasks>

  constructor({ kept, thread, onNotice }: InPlaceOptions) {
    this.#notify = (notice) => {
      if (this.#said.has(notice.message)) return
      this.#said.add(notice.message)
      onNotice?.(notice)
    }
    for (const notice of [inPlaceNotice(), ...noticesOf(processStatus())]) this.#notify(notice)
    for (const notice of noticesOfPlaces(kept)) this.#notify(notice)
    keepPrograms(kept)
    protectBuilder()
    removeAbandonedFiles()
    removeHostLines()
    this.#thread = thread
    // So that the first step need not wait for it.
    thread.start()
    process.on('exit', this.#cancelAll)
  }

  async start(spec: ProcessSpec, options: StartOptions = {}): Promise<RunningProcess> {
    const [root] = spec.mounts
    if (root.type !== 'bind' || root.source !== '/') throw new Error('the root is not in place')
    if (spec.container !== undefined) throw noContainersError()
    refuseLimits(spec)
    for (const notice of lackingIn(spec)) this.#notify(notice)
    const step = new InPlaceStep(spec, options, this.#thread)
    this.#running.add(step)
    const onEnd = (): void => void this.#running.delete(step)
    step.end.then(onEnd, onEnd)
    return await step.started()
  }

  async openRoot(): Promise<OpenedRoot> {
    throw noContainersError()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelAll()
    await Promise.allSettled([...this.#running].map((step) => step.end))
    process.off('exit', this.#cancelAll)
  }

  /** A thread that waits for its step would keep the process from exiting until the step ends. */
  readonly #cancelAll = (): void => {
    for (const step of this.#running) step.cancel()
  }
}

/** The container that they are in is shared by all. */
function noContainersError(): TsbuildError {
  return new TsbuildError('steps in place are not containers', {
    code: 'UNSUPPORTED',
    hint: 'run tsbuild where it can make namespaces',
  })
}

function inPlaceNotice(): TsbuildError {
  return notice(
    'RUN steps run in place: in the root of this container, which becomes that of each stage; the container is all that isolates them, from the build as well',
    'where steps may have namespaces, they are isolated from each other and from the build: see docs/in-place.md',
  )
}

/** Folders that Dockerfiles empty at the end of many a step. */
const EMPTIED = ['/tmp', '/var/tmp']

/** A step that empties such a folder would delete the store or the context. */
function* noticesOfPlaces(kept: readonly string[]): Generator<TsbuildError> {
  const places = kept.filter((path) => {
    return EMPTIED.some((folder) => path !== folder && isBelow(path, folder)) && existsSync(path)
  })
  if (places.length === 0) return
  yield notice(
    `steps that empty /tmp or /var/tmp delete what the build needs there: ${places.join(', ')}`,
    'put the store (--root), the context and what else is named elsewhere, for example below /tsbuild, or leave /tmp alone',
  )
}

/** What is asked for and goes without. */
function* lackingIn({ security, shmSize, mounts }: ProcessSpec): Generator<TsbuildError> {
  if (security === 'insecure') {
    yield notice(
      'steps with --security=insecure have the rights of this container, and no others',
      'start the container with the rights that they need: docker run --privileged',
    )
  }
  const size = sizeOf('/dev/shm')
  if (size < shmSize) {
    yield notice(
      `steps have the /dev/shm of this container, of ${Math.floor(size / MIB)} MiB`,
      'give the container more: docker run --shm-size; an emptyDir with medium: Memory at /dev/shm in a pod',
    )
  }
  if (mounts.some((mount) => mount.type === 'tmpfs' && mount.size !== undefined)) {
    yield notice(
      'mounts of the type tmpfs are directories on the disk of this container, without a limit of size',
      'leave their size out; what is written there is removed after the step',
    )
  }
}

const MIB = 1024 * 1024

function sizeOf(path: string): number {
  try {
    const { blocks, bsize } = statfsSync(path)
    return blocks * bsize
  } catch {
    return 0
  }
}

/** @throws {TsbuildError} SANDBOX_UNAVAILABLE */
function refuseLimits({ resources, cgroupParent }: ProcessSpec): void {
  const limits = Object.entries(resources).filter(([, value]) => value !== undefined)
  if (limits.length === 0 && cgroupParent === undefined) return
  throw new TsbuildError('steps in place have the limits of this container, and no others', {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'leave out --memory, --cpu-quota, --pids-limit, --cgroup-parent and their kin, and limit the container itself',
  })
}
