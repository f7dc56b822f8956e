import { closeSync, fchownSync } from 'node:fs'
import { type Identity, makePipe, type Pipe } from '#builder/linux'
import { errnoOf, MORE_IDS, TsbuildError } from '#core'

/** The descriptors that the builder has of a started process. */
export interface StepPipes {
  readonly kind: 'pipes'
  /** Write end; absent: its input is empty. */
  readonly stdin: number | undefined
  /** Read ends. */
  readonly stdout: number
  readonly stderr: number
}

/** The pipes of a process that is about to start. */
export class StepIo {
  readonly #stdin: Pipe | undefined
  readonly #stdout: Pipe
  readonly #stderr: Pipe
  readonly #empty: number

  /** @param empty descriptor of an empty input. @param stdin whether there is a pipe instead */
  constructor(empty: number, stdin: 'empty' | 'pipe') {
    this.#empty = empty
    this.#stdin = stdin === 'pipe' ? makePipe() : undefined
    this.#stdout = makePipe()
    this.#stderr = makePipe()
  }

  /** Descriptors for the process. */
  get theirs(): { readonly stdin: number; readonly stdout: number; readonly stderr: number } {
    return {
      stdin: this.#stdin?.readEnd ?? this.#empty,
      stdout: this.#stdout.writeEnd,
      stderr: this.#stderr.writeEnd,
    }
  }

  /** Descriptors for the builder. */
  get ours(): StepPipes {
    return {
      kind: 'pipes',
      stdin: this.#stdin?.writeEnd,
      stdout: this.#stdout.readEnd,
      stderr: this.#stderr.readEnd,
    }
  }

  /** Lets a process that runs as `user` open its input and output by name, as /dev/stdout. */
  giveTo(user: Identity): void {
    const { stdout, stderr } = this.theirs
    const pipes = [stdout, stderr, ...(this.#stdin === undefined ? [] : [this.#stdin.readEnd])]
    try {
      for (const descriptor of pipes) fchownSync(descriptor, user.uid, user.gid)
    } catch (cause) {
      throw errnoOf(cause) === 'EINVAL' ? unmappedUserError(user, cause) : cause
    }
  }

  /** Closes the descriptors of the process, which has its own. */
  closeTheirs(): void {
    for (const pipe of [this.#stdout, this.#stderr]) closeSync(pipe.writeEnd)
    if (this.#stdin !== undefined) closeSync(this.#stdin.readEnd)
  }

  /** Closes those of the builder, when the process could not be started. */
  closeOurs(): void {
    for (const pipe of [this.#stdout, this.#stderr]) closeSync(pipe.readEnd)
    if (this.#stdin !== undefined) closeSync(this.#stdin.writeEnd)
  }
}

/** The failure to become a user whose ids are not mapped. */
export function unmappedUserError(user: Identity, cause: unknown): TsbuildError {
  return new TsbuildError(`run as ${user.uid}:${user.gid}: this user namespace lacks these ids`, {
    code: 'STEP_FAILED',
    hint: MORE_IDS,
    cause,
  })
}
